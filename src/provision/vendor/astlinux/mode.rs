//! Whether to do right or as the original does.

/// How templates and mass-deployment lines are read and values are put in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As users were told: values are inserted as they stand, nothing is lost.
    #[default]
    Right,
    /// As the scripts of AstLinux do it, their mistakes included.
    Original,
}
