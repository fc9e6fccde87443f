//! Before something costs money or is deleted in an account: a person says yes, or has said so with `--yes`.

use std::io::{self, IsTerminal as _};

use crate::{
    error::{self, Failure, Result},
    settings::Target,
    stages::Context,
};

/// Who can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nobody has to be: `--yes`, or nothing here costs anything.
    Nobody,
    /// Whoever sits at the terminal.
    Person,
    /// There is nobody.
    Absent,
}

fn who(target: Target, yes: bool, terminal: bool) -> Asked {
    match (target, yes, terminal) {
        (Target::Local, ..) | (_, true, _) => Asked::Nobody,
        (Target::Aws, false, true) => Asked::Person,
        (Target::Aws, false, false) => Asked::Absent,
    }
}

fn means_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Goes on only where somebody agrees to what was just shown; `what` is it in a word: "run", "destroy".
pub async fn agreed(context: &Context, what: &str) -> Result<()> {
    let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    match who(context.settings.target, context.yes, terminal) {
        Asked::Nobody => Ok(()),
        Asked::Absent => Err(Failure::usage(format!("{what} was not agreed to; nothing was changed"))
            .because("there is no terminal to ask on, and --yes is not given")
            .hint(format!("read what is shown above, then repeat it with --yes: orchestrator {what} --yes"))),
        Asked::Person => {
            context.out.say(format_args!("go on with {what}? y or n, then Enter"));
            let read = tokio::task::spawn_blocking(|| {
                let mut answer = String::new();
                io::stdin().read_line(&mut answer).map(|_| answer)
            });
            let answer = read.await.map_err(|e| Failure::new("the answer cannot be read").because(e))?;
            match means_yes(&answer.map_err(error::io("the answer cannot be read"))?) {
                true => Ok(()),
                false => Err(Failure::interrupted(format!("{what} was not agreed to; nothing was changed"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_asked_about_and_this_machine_is_not() {
        for (target, yes, terminal, want) in [
            (Target::Local, false, false, Asked::Nobody),
            (Target::Aws, true, false, Asked::Nobody),
            (Target::Aws, false, true, Asked::Person),
            (Target::Aws, false, false, Asked::Absent),
        ] {
            assert_eq!(who(target, yes, terminal), want, "{target} {yes} {terminal}");
        }
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, want) in
            [("y\n", true), ("Yes\n", true), ("n\n", false), ("\n", false), ("", false), ("yep", false)]
        {
            assert_eq!(means_yes(answer), want, "{answer:?}");
        }
    }
}
