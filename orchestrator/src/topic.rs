//! The topic that alarms and messages go to, and who listens to it.

use aws_sdk_sns::types::Tag;

use crate::{
    error::{self, Failure, Found as _, Result},
    run_record::RunRecord,
    stages::Context,
    tags,
};

/// The topic's name: what `[alarms] topic` says, where that is no ARN, else one of the project's own.
pub fn name(context: &Context) -> String {
    context.settings.alarms.topic.clone().unwrap_or_else(|| format!("{}-alarms", context.settings.project))
}

/// The topic's ARN, whether or not it is there.
pub fn arn(context: &Context) -> String {
    let name = name(context);
    if name.starts_with("arn:") {
        return name;
    }
    let partition = context.aws.caller.split(':').nth(1).unwrap_or("aws");
    format!("arn:{partition}:sns:{}:{}:{name}", context.aws.region, context.aws.account)
}

/// The topic, made where it is not there, with everyone subscribed whom the settings name.
pub async fn ensure(context: &Context, run: &RunRecord) -> Result<String> {
    let (sns, arn) = (&context.aws.sns, arn(context));
    let there = sns.get_topic_attributes().topic_arn(&arn).send().await;
    if there.found(format!("topic {arn} cannot be looked at"))?.is_none() {
        let name = name(context);
        if name.starts_with("arn:") {
            return Err(Failure::new(format!("topic {arn} is gone"))
                .hint("make it, or leave `topic` out of [alarms]: then it is made"));
        }
        let what = format!("topic {name} cannot be made");
        let tag = |(key, value): (&str, String)| Tag::builder().key(key).value(value).build();
        let tags: std::result::Result<Vec<Tag>, _> = tags::labels(context, run).into_iter().map(tag).collect();
        let tags = tags.map_err(|e| Failure::new(&what).because(e))?;
        sns.create_topic().name(name).set_tags(Some(tags)).send().await.map_err(error::aws(what))?;
    }
    let settings = &context.settings.alarms;
    let webhook = settings.webhook.iter().map(|url| (if url.starts_with("https:") { "https" } else { "http" }, url));
    let wanted: Vec<(&str, &String)> = settings.email.iter().map(|to| ("email", to)).chain(webhook).collect();
    let known = if wanted.is_empty() { Vec::new() } else { subscribed(context, &arn).await? };
    for (protocol, endpoint) in wanted {
        if known.iter().any(|(p, e)| (p.as_str(), e) == (protocol, endpoint)) {
            continue;
        }
        let request = sns.subscribe().topic_arn(&arn).protocol(protocol).endpoint(endpoint);
        request.send().await.map_err(error::aws(format!("{endpoint} cannot be subscribed to {arn}")))?;
        context.out.say(format_args!("{endpoint} is asked to confirm that it wants the messages of {arn}"));
    }
    Ok(arn)
}

/// Protocol and address of every subscription, confirmed or not.
async fn subscribed(context: &Context, arn: &str) -> Result<Vec<(String, String)>> {
    let mut pages = context.aws.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws(format!("the subscriptions of {arn} cannot be listed")))?;
        found.extend(page.subscriptions().iter().map(|s| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (text(s.protocol()), text(s.endpoint()))
        }));
    }
    Ok(found)
}

/// Publishes a message; AWS takes ASCII subjects of up to 100 characters.
pub async fn publish(context: &Context, arn: &str, subject: &str, message: &str) -> Result<()> {
    let subject: String = subject.chars().filter(|c| (' '..='~').contains(c)).take(100).collect();
    let request = context.aws.sns.publish().topic_arn(arn).subject(subject).message(message);
    request.send().await.map_err(error::aws(format!("nothing can be published to {arn}")))?;
    Ok(())
}

/// Whether the topic is there and was made by this project.
pub async fn is_ours(context: &Context) -> Result<Option<bool>> {
    let arn = arn(context);
    let found = context.aws.sns.list_tags_for_resource().resource_arn(&arn).send().await;
    let Some(found) = found.found(format!("the tags of {arn} cannot be listed"))? else { return Ok(None) };
    let project = context.settings.project.as_str();
    Ok(Some(found.tags().iter().any(|tag| tag.key() == tags::PROJECT && tag.value() == project)))
}
