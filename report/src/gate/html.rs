//! A gate's report as a page.

use super::{BiasColumn, Business, Counterfactual, Estimate, GateReport, Judgement, SliceFigures, Verdict};
use crate::escape::Html;
use crate::number::{count, counted, drawn, figure, percent, probability};
use crate::page::{facts, page, section, table, word};

/// p-values below this are shown as findings.
const LEVEL: f64 = 0.05;

/// One self-contained page, light or dark as the reader's system is.
pub fn html(report: &GateReport) -> String {
    let r = report;
    let (class, kicker) = if r.passed { ("good", "passed") } else { ("bad", "refused") };
    let header = format!(
        "<div class=\"verdict {class}\">\n<p class=\"kicker\">Sagebrush · gate · {kicker}</p>\n<h1>{}</h1>\n\
         <p class=\"sub\">{}</p>\n</div>\n",
        Html(&r.headline()),
        subtitle(r)
    );
    let sections = [
        section("Rules", "What each rule was held against, and what would change its verdict.", &verdicts(&r.verdicts)),
        section("Against the champion", "Both artifacts on the same documents.", &champion(r)),
        section("What it is worth", "", &business(r)),
        section(
            "Slices",
            "Accuracy with its 95 % interval (Clopper-Pearson) on one scale, and how it differs from all other documents \
             (Newcombe; Fisher's exact test, adjusted by Holm over all slices).",
            &slices(&r.slices),
        ),
        section(
            "Groups side by side",
            "The others' figure less the group's, as SageMaker Clarify has it: above 0 the group is at a disadvantage. \
             Fisher's exact tests, adjusted by Holm over all of them. Groups of fewer than 10 documents count in no figure of \
             their column.",
            &bias(r),
        ),
        section(
            "The same text about somebody else",
            "Identity terms swapped one for another, everything else as it is.",
            &r.counterfactual.as_ref().map(counterfactual).unwrap_or_default(),
        ),
        section("Notes", "", &notes(&r.notes)),
        format!("<footer>Sagebrush · {}</footer>\n", Html(&r.format)),
    ];
    page(&format!("Gate: {}", r.headline()), &header, &sections)
}

fn subtitle(r: &GateReport) -> String {
    let against = r.champion.as_ref().map_or_else(
        || "nothing was deployed or approved before".to_owned(),
        |champion| format!("champion {}", word(&champion.package)),
    );
    format!(
        "Training job {}, {} of the test channel, {against}. Too little evidence: <code>{}</code>.",
        word(&r.job),
        counted(r.rows, "document", "documents"),
        Html(&r.on_insufficient)
    )
}

fn judged(judgement: Judgement) -> String {
    let class = match judgement {
        Judgement::Passed => "good-word",
        Judgement::Failed => "bad-word",
        Judgement::Insufficient | Judgement::NotApplicable => "note",
    };
    format!("<span class=\"{class}\">{}</span>", judgement.word())
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => count(value.abs().round() as u64),
        size if size >= 100.0 => figure(value, 1),
        size if size < 0.001 && size > 0.0 => format!("{value:.1e}"),
        _ => figure(value, 4),
    }
}

fn verdicts(verdicts: &[Verdict]) -> String {
    let row = |v: &Verdict| {
        let interval = v.interval.map(|(low, high)| format!("{} to {}", short(low), short(high)));
        let p = v.p_value.map(|p| format!(", p {}", probability(p))).unwrap_or_default();
        vec![
            format!("<code>{}</code>", Html(&v.rule)),
            judged(v.judgement),
            v.value.map_or_else(|| "–".into(), short),
            interval.unwrap_or_default(),
            count(v.n),
            format!("{}<br><span class=\"note\">{}{p}</span>", Html(&v.change), Html(&v.method)),
        ]
    };
    let rows: Vec<Vec<String>> = verdicts.iter().map(row).collect();
    let head = ["Rule", "Verdict", "Value", "95 % interval", "n", "What would change it"];
    table(&head, &[false, false, true, true, true, false], &rows)
}

fn within(e: &Estimate, digits: usize) -> String {
    let [value, low, high] = [e.value, e.low, e.high].map(|value| figure(value, digits));
    format!("{value} <span class=\"note\">({low} to {high})</span>")
}

fn champion(r: &GateReport) -> String {
    let Some(c) = &r.champion else { return String::new() };
    let seen = c.seen_rows.map_or_else(|| "not known".into(), |rows| counted(rows, "document", "documents"));
    facts(&[
        ("Its accuracy here", percent(c.accuracy)),
        ("Difference (paired bootstrap)", within(&c.difference, 4)),
        ("Only the new one is right", counted(c.won, "document", "documents")),
        ("Only the champion is right", counted(c.lost, "document", "documents")),
        ("McNemar, exact, two-sided", format!("p {}", probability(c.p_value))),
        ("Of these it was trained on", seen),
    ])
}

fn money(value: f64, currency: &str) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    let size = value.abs();
    let number = if size >= 1000.0 { count(size.round() as u64) } else { figure(size, if size < 1.0 { 4 } else { 2 }) };
    format!("{sign}{number} {}", Html(currency))
}

fn business(r: &GateReport) -> String {
    let Some(b) = &r.business else { return String::new() };
    let Business { currency, cost, .. } = b;
    let between = |e: &Estimate| {
        let [value, low, high] = [e.value, e.low, e.high].map(|value| money(value, currency));
        format!("{value} <span class=\"note\">({low} to {high})</span>")
    };
    let mut known = vec![
        ("Cost of a document", between(cost)),
        (
            "Always the most frequent class",
            format!("{} ({})", money(b.majority_cost, currency), word(&b.majority_class)),
        ),
    ];
    known.extend(b.champion_cost.map(|cost| ("The champion's", money(cost, currency))));
    known.push(("Documents a month", count(b.documents_a_month.max(0.0) as u64)));
    known.push(("Saved a month against the most frequent class", money(b.saving_against_majority, currency)));
    known.extend(b.saving_against_champion.as_ref().map(|e| ("Saved a month against the champion", between(e))));
    if let Some(price) = b.endpoint_price {
        let on = b.priced_on.as_deref().map(|day| format!(" <span class=\"note\">(as of {})</span>", Html(day)));
        known.push(("The endpoint's price a month", money(price, currency) + &on.unwrap_or_default()));
        known.push((
            "It pays for itself from",
            b.break_even_documents
                .map_or_else(|| "never".into(), |n| format!("{} documents a month", count(n.ceil() as u64))),
        ));
    }
    if let Some(t) = &b.threshold {
        let use_of = if t.deployed { "the package bears it" } else { "not used: business.use_threshold = false" };
        known.push((
            "Threshold that costs least",
            format!("class {} from {} on <span class=\"note\">({use_of})</span>", word(&t.class), figure(t.value, 4)),
        ));
        known.push(("Cost of a document with it", money(t.cost, currency)));
        known.push((
            "Best threshold in hindsight",
            format!(
                "{} <span class=\"note\">({} a document; chosen on these very documents)</span>",
                figure(t.best, 4),
                money(t.best_cost, currency)
            ),
        ));
    }
    facts(&known)
}

/// An interval as a line, its value as a dot, over `[0, 1]`.
fn whisker(e: &Estimate, odd: bool) -> String {
    let x = |value: f64| 6.0 + 168.0 * drawn(value);
    let dot = if odd { "clay" } else { "sage" };
    format!(
        "<svg class=\"whiskers\" viewBox=\"0 0 180 16\" role=\"img\" aria-label=\"{} to {}\">\
         <line class=\"whisker\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"8\" y2=\"8\"/>\
         <circle class=\"{dot}\" cx=\"{:.1}\" cy=\"8\" r=\"4.5\"/></svg>",
        percent(e.low),
        percent(e.high),
        x(e.low),
        x(e.high),
        x(e.value)
    )
}

fn adjusted(p: Option<f64>) -> String {
    match p {
        Some(p) if p < LEVEL => format!("<span class=\"bad-word\">{}</span>", probability(p)),
        Some(p) => probability(p),
        None => "–".into(),
    }
}

/// A column's name; those made from the text are words with underscores.
fn column(name: &str, automatic: bool) -> String {
    if automatic { word(&name.replace('_', " ")) } else { word(name) }
}

fn slices(slices: &[SliceFigures]) -> String {
    let row = |s: &SliceFigures| {
        let odd = s.adjusted_p.is_some_and(|p| p < LEVEL);
        vec![
            column(&s.column, s.automatic),
            word(&s.value),
            count(s.rows),
            percent(s.accuracy.value),
            whisker(&s.accuracy, odd),
            figure(s.macro_f1, 3),
            figure(s.log_loss, 3),
            s.difference.as_ref().map_or_else(|| "–".into(), |e| within(e, 3)),
            adjusted(s.adjusted_p),
        ]
    };
    if slices.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = slices.iter().map(row).collect();
    let head =
        ["Column", "Value", "Documents", "Accuracy", "0 to 1", "Macro F1", "Log loss", "Less the others", "p (Holm)"];
    table(&head, &[false, false, true, true, false, true, true, true, true], &rows)
}

/// A column each: of several classes one line each, and the groups of the class that they differ most by.
fn bias(r: &GateReport) -> String {
    let of_column = |of_class: &[BiasColumn]| {
        let Some(c) = BiasColumn::most_apart(of_class) else { return String::new() };
        let automatic = if c.automatic { " <span class=\"note\">made from the text</span>" } else { "" };
        let name = column(&c.column, c.automatic);
        let overview = if of_class.len() > 1 { classes(of_class) } else { facts(&known(c)) };
        format!("<div class=\"apart\"><h3>{name}{automatic}</h3>\n{overview}{}</div>\n", groups(c))
    };
    r.bias.chunk_by(|a, b| a.column == b.column).map(of_column).collect()
}

fn known(c: &BiasColumn) -> [(&'static str, String); 3] {
    let shown = |value: Option<f64>| value.map_or_else(|| "–".into(), |v| figure(v, 3));
    [
        ("Demographic parity difference", figure(c.demographic_parity_difference, 3)),
        ("Equal opportunity difference", shown(c.equal_opportunity_difference)),
        ("Disparate impact", shown(c.disparate_impact)),
    ]
}

fn classes(of_class: &[BiasColumn]) -> String {
    let row = |c: &BiasColumn| {
        let p = c.groups.iter().flat_map(|g| [Some(g.parity_p), g.opportunity_p]).flatten();
        let least = p.min_by(f64::total_cmp);
        std::iter::once(word(&c.class))
            .chain(known(c).map(|(_, value)| value))
            .chain([adjusted(least)])
            .collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = of_class.iter().map(row).collect();
    let head =
        ["Class against the rest", "Parity difference", "Opportunity difference", "Disparate impact", "Least p (Holm)"];
    table(&head, &[false, true, true, true, true], &rows)
}

fn groups(c: &BiasColumn) -> String {
    let row = |g: &super::BiasFigures| {
        vec![
            word(&g.value),
            count(g.rows),
            percent(g.rate),
            within(&g.parity, 3),
            adjusted(Some(g.parity_p)),
            g.opportunity.as_ref().map_or_else(|| "–".into(), |e| within(e, 3)),
            adjusted(g.opportunity_p),
            g.impact.map_or_else(|| "–".into(), |v| figure(v, 3)),
        ]
    };
    let rows: Vec<Vec<String>> = c.groups.iter().map(row).collect();
    let rate = format!("Predicted {}", word(&c.class));
    let head = ["Group", "Documents", &rate, "Parity", "p (Holm)", "Opportunity", "p (Holm)", "Impact"];
    table(&head, &[false, true, true, true, true, true, true, true], &rows)
}

fn counterfactual(c: &Counterfactual) -> String {
    let share = c.share.map(|e| format!(" ({} to {})", percent(e.low), percent(e.high))).unwrap_or_default();
    let lead = format!(
        "<p class=\"lead\">{} with such a term; the class of {} changes{share}.</p>\n",
        counted(c.rows, "document", "documents"),
        count(c.changed)
    );
    let row = |s: &super::SwapFigures| {
        let change = format!("{:+.4}", s.mean_change);
        vec![word(&s.from), word(&s.to), count(s.rows), count(s.changed), change]
    };
    let rows: Vec<Vec<String>> = c.swaps.iter().map(row).collect();
    let head = ["Instead of", "stands", "Documents", "Class changed", "Mean change of the probability"];
    lead + &table(&head, &[false, false, true, true, true], &rows)
}

fn notes(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let lines: String = notes.iter().map(|note| format!("<li>{}</li>\n", Html(note))).collect();
    format!("<ul>\n{lines}</ul>\n")
}
