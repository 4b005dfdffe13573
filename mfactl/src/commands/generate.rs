//! `completions` and `man`: made from the same definitions as the command line itself.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::Context;
use crate::cli::{Cli, EXIT_CODES, FILES, JSON, ManArgs, ShellName};
use crate::failure::{Failure, exit};

/// Prints the completions for a shell.
pub(super) fn completions(context: &mut Context, shell: ShellName) -> Result<u8, Failure> {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mfactl", &mut script);
    context.out.raw(&script)?;
    Ok(exit::OK)
}

/// Prints the main page, or writes all pages into a directory.
pub(super) fn man(context: &mut Context, arguments: &ManArgs) -> Result<u8, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(directory) = &arguments.dir else {
        let page = page(&command).map_err(Failure::Output)?;
        context.out.raw(&page)?;
        return Ok(exit::OK);
    };
    std::fs::create_dir_all(directory)
        .and_then(|()| write_all(&command, directory))
        .map_err(|e| Failure::local(format!("write man pages to {}", directory.display()), &e))?;
    Ok(exit::OK)
}

fn write_all(command: &clap::Command, directory: &Path) -> io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    std::fs::write(directory.join(name), page(command)?)?;
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| write_all(sub, directory))
}

/// One page. What follows the options is laid out here: clap would run examples into one paragraph.
fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let top = command.get_name() == "mfactl";
    let man = Man::new(command.clone())
        .manual("mfad")
        .source(concat!("mfactl ", env!("CARGO_PKG_VERSION")))
        .title(command.get_display_name().unwrap_or("mfactl"));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let see = if top { "mfad(8), pam_mfa(8)" } else { "mfactl(1), which lists exit codes and files" };
    let more = if top {
        main_sections()
    } else {
        let notes = command.get_after_long_help().map(ToString::to_string);
        notes.map(|text| format!(".SH NOTES\n{}", laid_out(&text))).unwrap_or_default()
    };
    page.extend_from_slice(format!("{more}.SH \"SEE ALSO\"\n{see}\n").as_bytes());
    Ok(page)
}

fn main_sections() -> String {
    let json = escaped(JSON);
    let codes = definitions(EXIT_CODES);
    let files = definitions(FILES);
    let environment = definitions(&[
        ("NO_COLOR", "when set and not empty: no colors"),
        ("TZ", "the zone that times are shown in, instead of the host's"),
        ("MFACTL_NOW", "Unix seconds to reckon shown times from, so that outputs can be compared"),
    ]);
    format!(
        ".SH \"JSON OUTPUT\"\n{json}\n.SH \"EXIT STATUS\"\n{codes}.SH FILES\n{files}.SH ENVIRONMENT\n{environment}"
    )
}

fn definitions(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .flat_map(|(term, text)| {
            [".TP\n".to_owned(), escaped(term), "\n".to_owned(), escaped(text), "\n".to_owned()]
        })
        .collect()
}

/// Paragraphs are filled; lines that begin with two spaces stay as they are.
fn laid_out(text: &str) -> String {
    let line = |line: &str| match line {
        "" => ".PP\n".to_owned(),
        kept if kept.starts_with("  ") => format!(".nf\n{}\n.fi\n", escaped(kept)),
        filled => format!("{}\n", escaped(filled)),
    };
    text.lines().map(line).collect()
}

/// Text that roff takes as it is.
fn escaped(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
