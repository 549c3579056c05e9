//! The known name that is nearest to one that is not known.

/// The known name that somebody most likely meant; `None` if none comes near.
///
/// As many letters as a third of the name may be wrong, missing, too many or
/// out of order. Cheap enough for some thousand names; it is only asked when
/// something is refused.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer names are not looked at.
    const LONGEST: usize = 128;
    if name.len() > LONGEST {
        return None;
    }
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let allowed = (name.len() / 3).max(1);
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST && known.len().abs_diff(name.len()) <= allowed)
        .map(|known| (distance(&name, known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// How many letters have to be changed, added, left out or swapped.
fn distance(name: &[char], known: &str) -> usize {
    let known: Vec<char> = known.to_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (row, a) in name.iter().enumerate() {
        let mut line = Vec::with_capacity(known.len() + 1);
        line.push(row + 1);
        for (column, b) in known.iter().enumerate() {
            let changed = last[column] + usize::from(a != b);
            let mut best = changed.min(last[column + 1] + 1).min(line[column] + 1);
            let swapped =
                row > 0 && column > 0 && name[row - 1] == *b && known[column - 1] == *a && a != b;
            if swapped {
                best = best.min(before[column - 1] + 1);
            }
            line.push(best);
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_none_that_is_far() {
        let known = ["serial", "manufacturer", "product_class", "software_version"];
        assert_eq!(nearest("serail", known), Some("serial"));
        assert_eq!(nearest("Product_Class", known), Some("product_class"));
        assert_eq!(nearest("productclass", known), Some("product_class"));
        assert_eq!(nearest("softwareversion", known), Some("software_version"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(5000), known), None);
    }
}
