//! Which news somebody wants.

use super::{NewsDraft, NewsKind};
use crate::access::Reach;
use crate::device::DeviceId;

/// What somebody wants to be told. What is not said does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewsFilter {
    /// Only these kinds; all if empty.
    pub kinds: Vec<NewsKind>,
    /// Only of this device.
    pub device: Option<DeviceId>,
    /// Only of this tenant.
    pub tenant: Option<Box<str>>,
    /// Only from this site.
    pub site: Option<Box<str>>,
}

impl NewsFilter {
    /// Whether somebody who sees this far wants it.
    pub fn takes(&self, reach: &Reach, news: &NewsDraft) -> bool {
        reach.sees(&news.tenant, &news.site)
            && (self.kinds.is_empty() || self.kinds.contains(&news.kind))
            && self.device.as_ref().is_none_or(|device| news.device.as_ref() == Some(device))
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == news.tenant)
            && self.site.as_ref().is_none_or(|site| *site == news.site)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn news(tenant: &str, site: &str) -> NewsDraft {
        let device = DeviceId::parse("00D09E-1").unwrap();
        let mut news = NewsDraft::new(Timestamp::from_millis(0), NewsKind::DeviceBoot, "booted")
            .about(&device);
        (news.tenant, news.site) = (tenant.into(), site.into());
        news
    }

    #[test]
    fn the_reach_goes_before_every_wish() {
        let all = NewsFilter::default();
        assert!(all.takes(&Reach::WHOLE, &news("a", "x")));
        assert!(all.takes(&Reach::of_tenant("a"), &news("a", "x")));
        assert!(!all.takes(&Reach::of_tenant("b"), &news("a", "x")));
        assert!(!all.takes(&Reach::of_tenant("b"), &news("", "")), "nobody's is not everybody's");
        let wish = NewsFilter { tenant: Some("a".into()), ..NewsFilter::default() };
        assert!(!wish.takes(&Reach::of_tenant("b"), &news("a", "")));
    }

    #[test]
    fn every_wish_counts() {
        let other = DeviceId::parse("00D09E-2").unwrap();
        for (filter, takes) in [
            (NewsFilter { kinds: vec![NewsKind::DeviceBoot], ..NewsFilter::default() }, true),
            (NewsFilter { kinds: vec![NewsKind::Alarm], ..NewsFilter::default() }, false),
            (NewsFilter { device: news("", "").device, ..NewsFilter::default() }, true),
            (NewsFilter { device: Some(other), ..NewsFilter::default() }, false),
            (NewsFilter { site: Some("x".into()), ..NewsFilter::default() }, true),
            (NewsFilter { site: Some("y".into()), ..NewsFilter::default() }, false),
        ] {
            assert_eq!(filter.takes(&Reach::WHOLE, &news("a", "x")), takes, "{filter:?}");
        }
    }
}
