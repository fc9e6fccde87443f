//! The three programs in one executable, as the image holds them and as the orchestrator carries them: the code that
//! they share is there once.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::ExitCode,
};

/// Runs the program that `called` (the executable's own name or path) names, else the one that the first of `args` does:
/// the exit code of the program, 2 where there is none of that name.
pub fn main(called: &OsStr, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter();
    if let Some(program) = Program::named(called) {
        return program.run(args);
    }
    let asked = args.next().unwrap_or_default();
    match Program::named(&asked) {
        Some(program) => program.run(args),
        None => {
            eprintln!("error: there is no program `{}` here; expected train, serve or monitor", asked.display());
            ExitCode::from(2)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Program {
    Train,
    Serve,
    Monitor,
}

impl Program {
    fn named(word: &OsStr) -> Option<Program> {
        match Path::new(word).file_name()?.to_str()? {
            "train" => Some(Program::Train),
            "serve" => Some(Program::Serve),
            "monitor" => Some(Program::Monitor),
            _ => None,
        }
    }

    fn run(self, args: impl Iterator<Item = OsString>) -> ExitCode {
        match self {
            Program::Train => trainer::main(args),
            Program::Serve => serve::main(args),
            Program::Monitor => monitor::main(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_name_wherever_it_lies() {
        for (word, want) in [
            ("train", Some(Program::Train)),
            ("/usr/local/bin/serve", Some(Program::Serve)),
            ("./monitor", Some(Program::Monitor)),
            ("/usr/local/bin/sagebrush", None),
            ("--help", None),
            ("", None),
        ] {
            assert_eq!(Program::named(word.as_ref()), want, "{word}");
        }
    }
}
