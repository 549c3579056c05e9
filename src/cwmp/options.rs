//! Vouchers and options, both deprecated: `SetVouchers`, `GetOptions`
//! (TR-069 §A.4.1.3, §A.4.1.4).

use super::read::{ReadError, Scanner};
use super::write::Writer;

/// `SetVouchers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVouchers {
    /// The vouchers, each as the Base64 text that stands on the wire.
    pub vouchers: Vec<Box<str>>,
}

/// `GetOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// The option asked for; empty for all.
    pub option_name: Box<str>,
}

/// `OptionStruct` of `GetOptionsResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionState {
    /// The option's name.
    pub option_name: Box<str>,
    /// The serial number of its voucher.
    pub voucher_serial: u32,
    /// 0 disabled and not set up, 1 enabled and not set up, 2 disabled but set
    /// up, 3 enabled and set up.
    pub state: u32,
    /// 0 disabled, 1 enabled with an expiration, 2 enabled without one.
    pub mode: u32,
    /// From when on it is valid, as the device wrote it.
    pub start_date: Box<str>,
    /// When it expires, as the device wrote it.
    pub expiration_date: Option<Box<str>>,
    /// Whether it may move to another device: 0 or 1.
    pub is_transferable: u32,
}

impl SetVouchers {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut vouchers = Vec::new();
        xml.members(|xml, tag| {
            if tag.local() == "VoucherList" {
                vouchers = xml.list(|xml, _| Ok(Some(xml.value()?.trim().into())))?;
            }
            Ok(())
        })?;
        Ok(Self { vouchers })
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        let member = "soap-enc:base64";
        xml.array("VoucherList", member, &self.vouchers, |xml, one| xml.text("base64", one));
    }
}

impl GetOptions {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            if tag.local() == "OptionName" {
                one.option_name = xml.text()?;
            }
            Ok(())
        })?;
        Ok(one)
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.text("OptionName", &self.option_name);
    }
}

impl OptionState {
    pub(super) fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "OptionName" => one.option_name = xml.text()?,
                "VoucherSN" => one.voucher_serial = xml.number()?,
                "State" => one.state = xml.number()?,
                "Mode" => one.mode = xml.number()?,
                "StartDate" => one.start_date = xml.text()?,
                "ExpirationDate" => one.expiration_date = Some(xml.text()?),
                "IsTransferable" => one.is_transferable = xml.number()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }

    fn write(&self, xml: &mut Writer) {
        xml.text("OptionName", &self.option_name);
        xml.number("VoucherSN", self.voucher_serial);
        xml.number("State", self.state);
        xml.number("Mode", self.mode);
        xml.text("StartDate", &self.start_date);
        xml.text_if("ExpirationDate", self.expiration_date.as_deref());
        xml.number("IsTransferable", self.is_transferable);
    }
}

impl OptionState {
    /// Writes an `OptionList`.
    pub(super) fn write_list(xml: &mut Writer, list: &[Self]) {
        xml.array("OptionList", "cwmp:OptionStruct", list, |xml, one| {
            xml.element("OptionStruct", |xml| one.write(xml));
        });
    }
}
