//! What to do about AWS's refusals: one sentence for each kind, by AWS's code and wording.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

/// What is known of a refusal.
#[derive(Debug)]
pub struct Refusal<'a> {
    /// AWS's code; empty where there was no answer.
    pub code: &'a str,
    /// AWS's sentence.
    pub message: &'a str,
    /// The permission that the call needs, as IAM writes it.
    pub action: &'a str,
}

/// Where quotas are raised.
const QUOTAS: &str = "https://console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas";

impl Refusal<'_> {
    /// What to do; none where AWS's sentence says it all.
    pub fn advice(&self) -> Option<String> {
        match self.code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => Some(EXPIRED.into()),
            "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" | "InvalidToken"
            | "AuthFailure" | "MissingAuthenticationToken" => Some(
                "AWS does not know these credentials: look which ones are found (aws sts get-caller-identity), and that a session \
                 token stands beside its own key"
                    .into(),
            ),
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" | "RequestTimeTooSkewed" => Some(
                "the secret key is not the access key's, or this machine's clock is wrong (date -u)".into(),
            ),
            "InvalidIdentityToken" | "IDPCommunicationError" | "IDPRejectedClaim" => Some(
                "the OIDC token is not one that the role trusts: its provider must be in the account, its audience \
                 sts.amazonaws.com (infra/stack.yaml makes both)"
                    .into(),
            ),
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" | "AuthorizationError"
            | "Forbidden" => Some(self.denied()),
            "ResourceLimitExceeded" | "ServiceQuotaExceededException" | "LimitExceededException" => Some(self.quota()),
            "ThrottlingException" | "Throttling" | "ThrottledException" | "RequestLimitExceeded" | "SlowDown"
            | "TooManyRequestsException" => Some(
                "AWS was asked too often, and several tries did not help: wait a minute and repeat the command, it goes on from there"
                    .into(),
            ),
            "InternalFailure" | "InternalServerError" | "InternalServerException" | "InternalError" | "ServiceUnavailable"
            | "ServiceUnavailableException" => Some(
                "the fault is on AWS's side, and several tries did not help: repeat the command later, it goes on from there".into(),
            ),
            "RepositoryNotFoundException" | "ImageNotFoundException" => Some(IMAGE.into()),
            "OptInRequired" | "SubscriptionRequiredException" => {
                Some("the account is not signed up for this service, or the region is not enabled for it".into())
            }
            _ => self.by_wording(),
        }
    }

    /// The missing permission, and who has it.
    fn denied(&self) -> String {
        let words = |before: &str| {
            let (_, rest) = self.message.split_once(before)?;
            rest.split_whitespace().next().map(|word| word.trim_end_matches(['.', ',', ';']))
        };
        let action = words("not authorized to perform: ").unwrap_or(self.action);
        if self.message.contains("perform sts:AssumeRoleWithWebIdentity") && !self.denied_expressly() {
            return "the role's trust policy does not admit this token: repository and environment must be those that \
                    infra/stack.yaml was made with, and the workflow needs `permissions: id-token: write`"
                .into();
        }
        if action == "iam:PassRole" {
            let role = words("on resource: ").unwrap_or("the role of the settings");
            return format!(
                "the caller may not hand on {role}: it needs iam:PassRole on it, as the pipeline's roles of infra/stack.yaml have; or the role is \
                 another one than the stack's (role_arn, monitor.role_arn)"
            );
        }
        if self.denied_expressly() {
            return format!(
                "a policy denies {action} expressly, so that no permission helps: ask who administers the account"
            );
        }
        format!(
            "the caller needs {action}; PipelineRole or DeployRole of infra/stack.yaml has it: take that role on, or add it to the caller's policy"
        )
    }

    fn denied_expressly(&self) -> bool {
        self.message.contains("explicit deny") || self.message.contains("service control policy")
    }

    /// The quota by its name, and where to raise it.
    fn quota(&self) -> String {
        let name = self.message.split('\'').nth(1).filter(|name| !name.is_empty());
        let Some(name) = name else { return format!("raise the quota it names: {QUOTAS}") };
        format!(
            "ask for more of the quota \"{name}\" at {QUOTAS} (CLI: aws service-quotas list-service-quotas --service-code sagemaker \
             finds its code, request-service-quota-increase --quota-code CODE --desired-value N asks), or set another instance_type"
        )
    }

    fn by_wording(&self) -> Option<String> {
        let message = self.message;
        let has = |words: &str| message.contains(words);
        if has("Could not assume role")
            || has("must allow AWS EventBridge Scheduler to assume the role")
            || has("unable to perform: sts:AssumeRole")
            || (has("execution role ARN") && has("is invalid"))
        {
            return Some(
                "the role is missing or does not trust that service: infra/stack.yaml makes both roles and prints their ARNs \
                 (role_arn, monitor.role_arn in pipeline.toml)"
                    .into(),
            );
        }
        if has("Cross region ECR image pulls") || has("Invalid DNS suffix") || has("Invalid region") {
            return Some(
                "SageMaker pulls from its own region alone: push the image there and set `image` in pipeline.toml"
                    .into(),
            );
        }
        if has("Unsupported manifest media type") {
            return Some(
                "SageMaker takes single images of Docker's schema 2: push the one that image/build makes".into(),
            );
        }
        if message.starts_with("Requested image") && has("not found") {
            return Some(IMAGE.into());
        }
        None
    }
}

const EXPIRED: &str = "the credentials have expired: log in again (aws sso login), or let CI take the role on again; then repeat the \
                       command, it goes on from there";
const IMAGE: &str = "push the image first (docs/image.md), and set `image` in pipeline.toml to its repository and tag";

/// What to do where no credentials were to be had; none where the failure is another.
pub fn of_credentials(error: &(dyn Error + 'static)) -> Option<String> {
    let failed = chain(error).find_map(|error| error.downcast_ref::<CredentialsError>())?;
    let told = told(failed);
    let has = |words: &str| told.contains(words);
    Some(if has("sso/cache") || has("SSO token") || has("getting role credentials") {
        "this profile logs in by SSO, and nobody is logged in, or no longer: aws sso login --profile NAME, then repeat the command".into()
    } else if has("ExpiredToken") || has("expired") {
        EXPIRED.into()
    } else if has("AccessDenied") {
        let refusal = Refusal { code: "AccessDenied", message: &told, action: "sts:AssumeRole" };
        refusal.denied()
    } else if has("InvalidIdentityToken") {
        Refusal { code: "InvalidIdentityToken", message: &told, action: "" }.advice().unwrap_or_default()
    } else if matches!(failed, CredentialsError::CredentialsNotLoaded(_)) {
        "set AWS_PROFILE (or `profile` in pipeline.toml), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use --target local"
            .into()
    } else {
        "look at the profile in ~/.aws/config and at AWS_… in the environment; docs/aws.md says where credentials are looked for".into()
    })
}

/// An error, what caused it, and so on.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// An error and its causes, each said once.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let mut said = String::new();
    for cause in chain(error) {
        let words = cause.to_string();
        if !words.is_empty() && !said.contains(&words) {
            said.push_str(if said.is_empty() { "" } else { ": " });
            said.push_str(&words);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS's wordings, as its clients have reported them.
    #[test]
    fn each_refusal_says_what_to_do() {
        for (code, message, want) in [
            (
                "ExpiredTokenException",
                "The security token included in the request is expired",
                "the credentials have expired",
            ),
            (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                "does not know these",
            ),
            (
                "AccessDeniedException",
                "User: arn:aws:sts::123456789012:assumed-role/ci/x is not authorized to perform: sagemaker:CreateTrainingJob on \
                 resource: arn:aws:sagemaker:eu-central-1:123456789012:training-job/x because no identity-based policy allows the \
                 sagemaker:CreateTrainingJob action",
                "the caller needs sagemaker:CreateTrainingJob; PipelineRole or DeployRole of infra/stack.yaml has it",
            ),
            (
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/x is not authorized to perform: iam:PassRole on resource: \
                 arn:aws:iam::123456789012:role/y because no identity-based policy allows the iam:PassRole action",
                "the caller may not hand on arn:aws:iam::123456789012:role/y: it needs iam:PassRole",
            ),
            ("AccessDenied", "Access Denied", "the caller needs s3:GetObject"),
            (
                "AccessDenied",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity with an explicit deny in a service control policy",
                "a policy denies s3:GetObject expressly",
            ),
            (
                "ResourceLimitExceeded",
                "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances, with current utilization of 0 \
                 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this quota.",
                "the quota \"ml.m5.large for endpoint usage\" at https://console.aws.amazon.com/servicequotas/",
            ),
            (
                "ValidationException",
                "Could not assume role arn:aws:iam::123456789012:role/x. Please ensure that the role exists and allows principal \
                 'sagemaker.amazonaws.com' to assume the role.",
                "the role is missing or does not trust",
            ),
            (
                "ValidationException",
                "Region of \"123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1\" does not match expected region of eu-central-1. Cross \
                 region ECR image pulls are not allowed.",
                "SageMaker pulls from its own region alone",
            ),
            ("ImageNotFoundException", "The image with imageId {…} does not exist", "push the image first"),
        ] {
            let advice = Refusal { code, message, action: "s3:GetObject" }.advice().unwrap_or_default();
            assert!(advice.contains(want), "{code}: {advice}");
        }
        assert_eq!(Refusal { code: "ValidationException", message: "1 validation error", action: "" }.advice(), None);
    }
}
