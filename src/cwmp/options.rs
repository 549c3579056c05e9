//! Vouchers and options, both deprecated: `SetVouchers`, `GetOptions`
//! (TR-069 §A.4.1.3, §A.4.1.4).

/// `SetVouchers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetVouchers {
    /// The vouchers, each as the Base64 text that stands on the wire.
    pub vouchers: Vec<Box<str>>,
}

/// `GetOptions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetOptions {
    /// The option asked for; empty for all.
    pub option_name: Box<str>,
}

/// `OptionStruct` of `GetOptionsResponse`.
#[derive(Clone, Debug, PartialEq, Eq)]
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
