//! Who may call what over a network: each rpc as its contract declares, everything else by name.

use std::{collections::HashMap, sync::LazyLock};

use querybox_contracts::core::v1::{POLICIES, Policy};

/// Services of others that a server offers beside Core's. What is not here is for the owner, as reflection is.
const OTHERS: [(&str, Policy); 1] = [("/grpc.health.v1.Health/Check", Policy::Anyone)];

static BY_PATH: LazyLock<HashMap<&str, Policy>> =
    LazyLock::new(|| POLICIES.iter().copied().chain(OTHERS).collect());

/// Who may use a path. `open` are those of a server's own that anyone may use; no path is open by accident.
pub(crate) fn of_path(path: &str, open: &[&str]) -> Policy {
    match BY_PATH.get(path) {
        Some(policy) => *policy,
        None if open.contains(&path) => Policy::Anyone,
        None => Policy::Owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_declared_is_for_the_owner() {
        let open = ["/healthz"];
        let check = |path: &str, policy| assert_eq!(of_path(path, &open), policy, "{path}");
        check("/querybox.core.v1.AccessService/TradeCode", Policy::Anyone);
        check("/querybox.core.v1.QueryService/Execute", Policy::Owner);
        check("/grpc.health.v1.Health/Check", Policy::Anyone);
        check("/grpc.health.v1.Health/Watch", Policy::Owner);
        check("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Policy::Owner);
        check("/healthz", Policy::Anyone);
        check("/healthz/", Policy::Owner);
        check("/querybox.core.v1.AccessService/%54radeCode", Policy::Owner);
        check("/metrics", Policy::Owner);
    }

    #[test]
    fn a_server_cannot_open_an_rpc() {
        let path = "/querybox.core.v1.QueryService/Execute";
        assert_eq!(of_path(path, &[path]), Policy::Owner);
    }

    #[test]
    fn only_the_trade_of_a_code_is_for_anyone() {
        let open: Vec<_> = POLICIES.iter().filter(|(_, policy)| *policy != Policy::Owner).collect();
        assert_eq!(open, [&("/querybox.core.v1.AccessService/TradeCode", Policy::Anyone)]);
    }
}
