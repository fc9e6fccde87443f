//! Model packages: versions, approval, and what may be deployed.

use serde_json::{Value, json};

use crate::lab::{Http, Lab, ROLE};

async fn package(http: &Http, group: &str) -> Value {
    let request = json!({
        "ModelPackageGroupName": group,
        "ModelPackageDescription": "reviews",
        "InferenceSpecification": {
            "Containers": [{"Image": "registry/image:1", "ModelDataUrl": "s3://lab/model.tar.gz", "Environment": {"A": "1"}}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["application/json"],
        },
        "CustomerMetadataProperties": {"commit": "abc"},
    });
    http.call("CreateModelPackage", request).await.expect("package")["ModelPackageArn"].clone()
}

fn model(name: &str, package: &Value) -> Value {
    json!({"ModelName": name, "ExecutionRoleArn": ROLE, "Containers": [{"ModelPackageName": package}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_approved_package_is_deployed() {
    let lab = Lab::start().await;
    let group = json!({"ModelPackageGroupName": "reviews", "ModelPackageGroupDescription": "all versions"});
    lab.call("CreateModelPackageGroup", group.clone()).await.expect("group");
    let exists = lab.refused("CreateModelPackageGroup", group, "ValidationException").await;
    assert_eq!(
        exists,
        "Model Package Group already exists: arn:aws:sagemaker:us-east-1:000000000000:model-package-group/reviews"
    );

    let first = package(&lab, "reviews").await;
    assert_eq!(first, "arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/1");
    let described = lab.call("DescribeModelPackage", json!({"ModelPackageName": first})).await.expect("describe");
    assert_eq!(described["ModelApprovalStatus"], "PendingManualApproval");
    assert_eq!((&described["ModelPackageVersion"], &described["ModelPackageStatus"]), (&json!(1), &json!("Completed")));
    let refused = lab.refused("CreateModel", model("m", &first), "ValidationException").await;
    assert!(refused.contains("PendingManualApproval"), "{refused}");

    let update = json!({
        "ModelPackageArn": first, "ModelApprovalStatus": "Approved", "ApprovalDescription": "golden predictions match",
        "CustomerMetadataProperties": {"approver": "ci"}, "CustomerMetadataPropertiesToRemove": ["commit"],
    });
    lab.call("UpdateModelPackage", update).await.expect("update");
    let described = lab.call("DescribeModelPackage", json!({"ModelPackageName": first})).await.expect("describe");
    assert_eq!(described["ApprovalDescription"], "golden predictions match");
    assert_eq!(described["CustomerMetadataProperties"], json!({"approver": "ci"}));
    assert!(described["LastModifiedTime"].as_f64() >= described["CreationTime"].as_f64());
    lab.put("model.tar.gz", "").await;
    lab.call("CreateModel", model("m", &first)).await.expect("model");
    let gone = json!("arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/9");
    let missing = lab.refused("CreateModel", model("n", &gone), "ValidationException").await;
    assert_eq!(
        missing,
        "ModelPackage arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/9 does not exist."
    );
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_in_order_and_never_given_twice() {
    let lab = Lab::start().await;
    lab.call("CreateModelPackageGroup", json!({"ModelPackageGroupName": "g"})).await.expect("group");
    for _ in 0..11 {
        package(&lab, "g").await;
    }
    let list = |more: Value| {
        let mut request = json!({"ModelPackageGroupName": "g", "MaxResults": 100, "SortBy": "Name"});
        request.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        request
    };
    let versions = |listed: &Value| -> Vec<u64> {
        let list = listed["ModelPackageSummaryList"].as_array().expect("list");
        list.iter().map(|p| p["ModelPackageVersion"].as_u64().expect("version")).collect()
    };
    let listed = lab.call("ListModelPackages", list(json!({"SortOrder": "Descending"}))).await.expect("list");
    assert_eq!(versions(&listed), (1..=11).rev().collect::<Vec<_>>());
    let approve = json!({"ModelPackageArn": listed["ModelPackageSummaryList"][0]["ModelPackageArn"], "ModelApprovalStatus": "Approved"});
    lab.call("UpdateModelPackage", approve).await.expect("approve");
    let approved = lab.call("ListModelPackages", list(json!({"ModelApprovalStatus": "Approved"}))).await.expect("list");
    assert_eq!(versions(&approved), [11]);

    let held = lab.refused("DeleteModelPackageGroup", json!({"ModelPackageGroupName": "g"}), "ConflictException").await;
    assert!(held.contains("still contains Model Packages"), "{held}");
    for package in listed["ModelPackageSummaryList"].as_array().expect("list") {
        lab.call("DeleteModelPackage", json!({"ModelPackageName": package["ModelPackageArn"]})).await.expect("delete");
    }
    assert_eq!(package(&lab, "g").await, "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/12");
    let groups = lab.call("ListModelPackageGroups", json!({})).await.expect("list");
    assert_eq!(groups["ModelPackageGroupSummaryList"][0]["ModelPackageGroupName"], "g");
    lab.emulator.shutdown().await;
}
