//! The difference of two texts as a unified diff, as `diff -u` writes it.

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Changed lines between two equal ones at most; what differs more is shown as
/// replaced.
const MAX_EDITS: usize = 2000;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// The unified diff of two texts; empty if they are the same.
pub(super) fn diff(before: &str, after: &str, names: (&str, &str)) -> String {
    if before == after {
        return String::new();
    }
    let old: Vec<&str> = before.lines().collect();
    let new: Vec<&str> = after.lines().collect();
    let edits = edits(&old, &new);
    let mut out = format!("--- {}\n+++ {}\n", names.0, names.1);
    let mut from = 0;
    while let Some(first) = edits.iter().skip(from).position(|edit| *edit != Edit::Keep) {
        let begin = (from + first).saturating_sub(CONTEXT).max(from);
        let end = end_of_hunk(&edits, from + first);
        hunk(&mut out, &edits, begin..end, &old, &new);
        from = end;
    }
    if from == 0 {
        out.push_str("(only the ends of lines differ)\n");
    }
    out
}

/// Where the hunk ends that has a change here: behind the last change that is
/// followed by more than twice the context of equal lines.
fn end_of_hunk(edits: &[Edit], change: usize) -> usize {
    let mut last = change;
    for (at, edit) in edits.iter().enumerate().skip(change) {
        if *edit != Edit::Keep {
            last = at;
        } else if at - last > 2 * CONTEXT {
            break;
        }
    }
    (last + 1 + CONTEXT).min(edits.len())
}

fn hunk(
    out: &mut String,
    edits: &[Edit],
    range: std::ops::Range<usize>,
    old: &[&str],
    new: &[&str],
) {
    let before = edits.get(..range.start).unwrap_or_default();
    let inside = edits.get(range).unwrap_or_default();
    let count = |edits: &[Edit], but: Edit| edits.iter().filter(|edit| **edit != but).count();
    let (mut at_old, mut at_new) = (count(before, Edit::Add), count(before, Edit::Remove));
    let (lines_old, lines_new) = (count(inside, Edit::Add), count(inside, Edit::Remove));
    let side = |at: usize, lines: usize| {
        let first = if lines == 0 { at } else { at + 1 };
        if lines == 1 { first.to_string() } else { format!("{first},{lines}") }
    };
    out.push_str(&format!("@@ -{} +{} @@\n", side(at_old, lines_old), side(at_new, lines_new)));
    for edit in inside {
        let (mark, line) = match edit {
            Edit::Keep => (' ', old.get(at_old)),
            Edit::Remove => ('-', old.get(at_old)),
            Edit::Add => ('+', new.get(at_new)),
        };
        at_old += usize::from(*edit != Edit::Add);
        at_new += usize::from(*edit != Edit::Remove);
        out.push(mark);
        out.push_str(line.copied().unwrap_or_default());
        out.push('\n');
    }
}

/// The edits that make the second of the first, the fewest (Myers 1986).
fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let same_head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (old.split_at(same_head).1, new.split_at(same_head).1);
    let same_tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let old = old.split_at(old.len() - same_tail).0;
    let new = new.split_at(new.len() - same_tail).0;
    let mut edits = vec![Edit::Keep; same_head];
    match middle(old, new) {
        Some(middle) => edits.extend(middle),
        None => {
            edits.extend(std::iter::repeat_n(Edit::Remove, old.len()));
            edits.extend(std::iter::repeat_n(Edit::Add, new.len()));
        }
    }
    edits.extend(std::iter::repeat_n(Edit::Keep, same_tail));
    edits
}

/// `None` if there are more edits than are looked for.
fn middle(old: &[&str], new: &[&str]) -> Option<Vec<Edit>> {
    let most = (old.len() + new.len()).min(MAX_EDITS);
    // How far the first text is read on each diagonal; `most + 1` is the zeroth.
    let mut reach = vec![0_usize; 2 * most + 3];
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for edits in 0..=most {
        steps.push(reach.clone());
        for step in 0..=edits {
            let diagonal = most + 1 + 2 * step - edits;
            let down = came_down(&reach, diagonal, step, edits);
            let mut x = if down { reach[diagonal + 1] } else { reach[diagonal - 1] + 1 };
            let mut y = (x + most + 1).wrapping_sub(diagonal);
            while x < old.len() && y < new.len() && old.get(x) == new.get(y) {
                x += 1;
                y += 1;
            }
            reach[diagonal] = x;
            if x >= old.len() && y >= new.len() {
                return Some(back(&steps, old.len(), new.len(), most));
            }
        }
    }
    None
}

/// Whether the furthest way to a diagonal ends with an added line.
fn came_down(reach: &[usize], diagonal: usize, step: usize, edits: usize) -> bool {
    step == 0 || (step != edits && reach[diagonal - 1] < reach[diagonal + 1])
}

/// The way back from the end.
fn back(steps: &[Vec<usize>], old: usize, new: usize, most: usize) -> Vec<Edit> {
    let (mut x, mut y) = (old, new);
    let mut edits = Vec::with_capacity(old + new);
    for (number, reach) in steps.iter().enumerate().rev() {
        if number == 0 {
            break;
        }
        let diagonal = x + most + 1 - y;
        let step = (diagonal + number - most - 1) / 2;
        let down = came_down(reach, diagonal, step, number);
        let before = if down { diagonal + 1 } else { diagonal - 1 };
        let from_x = reach[before];
        let from_y = (from_x + most + 1).wrapping_sub(before);
        let behind = if down { (from_x, from_y + 1) } else { (from_x + 1, from_y) };
        edits.extend(std::iter::repeat_n(Edit::Keep, x - behind.0));
        edits.push(if down { Edit::Add } else { Edit::Remove });
        (x, y) = (from_x, from_y);
    }
    edits.extend(std::iter::repeat_n(Edit::Keep, x));
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_reads_as_diff_writes_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n15\n16\n";
        let told = diff(before, after, ("a", "b"));
        assert_eq!(
            told,
            "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n\
             @@ -11,5 +11,5 @@\n 11\n 12\n 13\n-14\n 15\n+16\n"
        );
        assert_eq!(diff(before, before, ("a", "b")), "");
        assert_eq!(diff("", "x\n", ("a", "b")), "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        assert!(diff("x\n", "x", ("a", "b")).contains("ends of lines"));
    }

    #[test]
    fn texts_without_a_common_line_are_replaced() {
        let old: Vec<String> = (0..3000).map(|n| format!("a{n}")).collect();
        let told = diff(&old.join("\n"), &old.join("\n").replace('a', "b"), ("a", "b"));
        assert_eq!(told.lines().filter(|line| line.starts_with("-a")).count(), 3000);
    }

    proptest! {
        #[test]
        fn the_edits_make_one_of_the_other(
            old in prop::collection::vec("[ab]", 0..12), new in prop::collection::vec("[ab]", 0..12),
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let (mut a, mut b) = (old.iter(), new.iter());
            let mut made = Vec::new();
            for edit in edits(&old, &new) {
                match edit {
                    Edit::Keep => {
                        let line = a.next().unwrap();
                        prop_assert_eq!(Some(line), b.next());
                        made.push(*line);
                    }
                    Edit::Remove => { a.next().unwrap(); }
                    Edit::Add => made.push(b.next().unwrap()),
                }
            }
            prop_assert_eq!(made, new);
            prop_assert_eq!(a.next(), None);
        }
    }
}
