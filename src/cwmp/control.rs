//! `GetRPCMethods`, `Reboot`, `FactoryReset` (TR-069 §A.3.1.1, §A.3.2.9, §A.4.1.6).

/// `GetRPCMethodsResponse`, of either side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetRpcMethodsResponse {
    /// The names of the methods.
    pub methods: Vec<Box<str>>,
}

/// `Reboot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reboot {
    /// Comes back with the `M Reboot` event; at most 32 characters.
    pub command_key: Box<str>,
}
