//! Who may call which rpc: the table that servers go by, from what each rpc declares.

use std::fmt::Write as _;

use anyhow::Context;
use protox::prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor, Value};

/// The generated file.
pub(super) const FILE: &str = "policies.rs";

/// The package that servers offer.
const PACKAGE: &str = "querybox.core.v1";
const OPTION: &str = "querybox.core.v1.policy";
/// What each value's name begins with.
const PREFIX: &str = "POLICY_";

/// Writes the table.
///
/// # Errors
///
/// An rpc declares no policy, or one that refuses everybody.
pub(super) fn generate(contracts: &DescriptorPool) -> anyhow::Result<String> {
    let option =
        contracts.get_extension_by_name(OPTION).with_context(|| format!("no contract defines {OPTION}"))?;
    let mut text = "/// The path of each rpc of `querybox.core.v1`, and who may call it.\n\
                    pub const POLICIES: &[(&str, Policy)] = &[\n"
        .to_owned();
    for service in contracts.services().filter(|service| service.parent_file().package_name() == PACKAGE) {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let policy = declared(&method, &option)
                .with_context(|| format!("{path} declares no policy: give it `option (policy) = …;`"))?;
            writeln!(text, "    (\"{path}\", Policy::{policy}),")?;
        }
    }
    text.push_str("];\n");
    Ok(text)
}

/// The policy of an rpc as Rust names it. `None`: it declares none.
fn declared(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Option<String> {
    let options: DynamicMessage = method.options();
    let number = match &*options.get_extension(option) {
        Value::EnumNumber(number) => *number,
        _ => return None,
    };
    let value = option.kind().as_enum()?.get_value(number)?;
    let word = value.name().strip_prefix(PREFIX)?;
    // The names of the two that there are have one word each.
    let name = format!("{}{}", &word[..1], word[1..].to_lowercase());
    (number != 0).then_some(name)
}

#[cfg(test)]
pub(super) mod tests {
    use protox::Compiler;

    use super::*;

    /// A contract that other tests need beside theirs.
    pub(crate) const POLICY: &str = r#"
        syntax = "proto3";
        package querybox.core.v1;
        import "google/protobuf/descriptor.proto";
        enum Policy { POLICY_UNSPECIFIED = 0; POLICY_ANYONE = 1; POLICY_OWNER = 2; }
        extend google.protobuf.MethodOptions { Policy policy = 50001; }
    "#;

    fn generate_for(rpcs: &str) -> anyhow::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{POLICY} message M {{}} service S {{ {rpcs} }}");
        std::fs::write(folder.path().join("s.proto"), text).unwrap();
        let mut compiler = Compiler::new([folder.path()]).unwrap();
        compiler.include_imports(true).open_file("s.proto").unwrap();
        generate(&compiler.descriptor_pool())
    }

    #[test]
    fn what_each_rpc_declares_is_in_the_table() {
        let table = generate_for(
            "rpc A(M) returns (M) { option (policy) = POLICY_ANYONE; }
             rpc B(M) returns (stream M) { option (policy) = POLICY_OWNER; }",
        )
        .unwrap();
        assert!(table.contains(r#"("/querybox.core.v1.S/A", Policy::Anyone),"#), "{table}");
        assert!(table.contains(r#"("/querybox.core.v1.S/B", Policy::Owner),"#), "{table}");
    }

    #[test]
    fn an_rpc_that_declares_no_policy_is_refused() {
        for rpc in ["rpc A(M) returns (M);", "rpc A(M) returns (M) { option (policy) = POLICY_UNSPECIFIED; }"]
        {
            let error = generate_for(rpc).unwrap_err();
            assert!(error.to_string().contains("/querybox.core.v1.S/A declares no policy"), "{error}");
        }
    }
}
