//! Amazon Resource Names of the one account.

use crate::ACCOUNT;

/// `arn:aws:sagemaker:…:<kind>/<name>`; names of endpoints are lower-cased, as AWS does.
pub(crate) fn sagemaker(region: &str, kind: &str, name: &str) -> String {
    let name = if kind == "endpoint" { name.to_lowercase() } else { name.to_owned() };
    format!("arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}")
}

/// What comes after the first `/` of an ARN of that kind, or the text itself where it is no ARN.
pub(crate) fn name_of<'a>(kind: &str, arn_or_name: &'a str) -> &'a str {
    match arn_or_name.split_once('/') {
        Some((head, name)) if head.starts_with("arn:") && head.ends_with(&format!(":{kind}")) => name,
        _ => arn_or_name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_gives_its_name_back() {
        let arn = sagemaker("us-east-1", "model-package", "Group/12");
        assert_eq!(arn, "arn:aws:sagemaker:us-east-1:000000000000:model-package/Group/12");
        assert_eq!(name_of("model-package", &arn), "Group/12");
        assert_eq!(name_of("model-package", "Group/12"), "Group/12");
        assert_eq!(
            sagemaker("us-east-1", "endpoint", "Live"),
            "arn:aws:sagemaker:us-east-1:000000000000:endpoint/live"
        );
    }
}
