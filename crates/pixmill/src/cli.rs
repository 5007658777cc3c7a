//! The command line: commands, flags and the help that teaches them. Reads no environment and does no work.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command as ClapCommand, Error, FromArgMatches, Parser, Subcommand};
use pixmill_types::Recipe;

use crate::config::setting::Setting;
use crate::config::{Flags, all_settings};

const AFTER_HELP: &str = "\
Try it:
  pixmill                                                      # serve on http://127.0.0.1:8000
  curl -F file=@photo.jpg http://127.0.0.1:8000/upload          # answers at once with a task_id
  curl http://127.0.0.1:8000/status/TASK_ID                     # COMPLETED, and where the result lies
  pixmill process photos/ -o out/ --steps 'resize:800 => webp'  # the same engine, without a server

Every setting is also an environment variable (PIXMILL_LISTEN=...) and a line of pixmill.toml;
`pixmill config` prints what applies.";

/// The settings that `-h` shows; `--help` shows all.
const FIRST_SETTINGS: &[&str] = &[
    "listen",
    "allow_anonymous",
    "data",
    "storage",
    "broker",
    "queue",
    "slots",
    "metrics_listen",
    "log_level",
];

/// The settings of a worker that also matter to a process that mills nothing.
const BEYOND_MILLING: &[&str] = &["drain_grace", "upkeep", "reap_interval", "janitor_interval"];

/// An image pipeline in one binary: uploads become durable tasks, workers mill them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run gateway and workers in one process (what `pixmill` alone does).
    Serve(SettingFlags),
    /// Take uploads and give out results, and leave the milling to `pixmill worker`.
    Gateway(GatewayFlags),
    /// Mill what a gateway accepted, over the same broker and the same files.
    Worker(WorkerFlags),
    /// Ask the pixmill of this machine or container whether it is ready: exit code 0 or 1, and one line.
    Health(HealthFlags),
    /// Mill files and folders without a server.
    Process(ProcessArgs),
    /// Print what a recipe would do to an image, and what that would cost.
    Explain(ExplainArgs),
    /// Print what images are: size, format, colours, BlurHash, ThumbHash, perceptual hash.
    Info(InfoArgs),
    /// List the ready recipes, print one of them, or print every step and output format there is.
    Recipes(RecipesArgs),
    /// Print the licence of pixmill, and that of the fonts in it.
    Licence,
    /// Print the settings that apply and where each comes from.
    Config(ConfigArgs),
    /// Copy the database of a running or stopped pixmill to a file, consistently.
    Backup(BackupArgs),
    /// Put a database copied by `backup` in place. pixmill must not be running.
    Restore(RestoreArgs),
    /// Measure this machine: engine, broker and the whole pipeline.
    Bench(BenchArgs),
    /// Upload photos to a running server and measure what a client sees.
    Load(LoadArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProcessArgs {
    /// Image files, or folders whose images are milled with all below them.
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder for the results; made when missing. Folders below an input folder are kept.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
    /// What to do, such as 'grayscale | blur:2' or 'resize:400 => webp:80', or the name of a ready recipe.
    #[arg(long, value_name = "RECIPE", conflicts_with = "recipe")]
    pub(crate) steps: Option<Recipe>,
    /// A recipe document, TOML or JSON, or the name of a ready recipe.
    #[arg(long, value_name = "FILE OR NAME")]
    pub(crate) recipe: Option<PathBuf>,
    /// Images milled at the same time [default: one a core]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) jobs: Option<u32>,
    #[command(flatten)]
    pub(crate) settings: MillFlags,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The image to plan for; only its header is read.
    #[arg(value_name = "IMAGE")]
    pub(crate) input: PathBuf,
    /// What to do, such as 'grayscale | blur:2', or the name of a ready recipe [default: orient | grayscale | blur:2]
    #[arg(long, value_name = "RECIPE", conflicts_with = "recipe")]
    pub(crate) steps: Option<Recipe>,
    /// A recipe document, TOML or JSON, or the name of a ready recipe.
    #[arg(long, value_name = "FILE OR NAME")]
    pub(crate) recipe: Option<PathBuf>,
    /// Print a JSON object instead.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: MillFlags,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Image files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Print a JSON object a line instead.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) limits: LimitFlags,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RecipesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RecipesCommand>,
    /// Print the one of this name, as `show` does.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// List them as JSON.
    #[arg(long, conflicts_with = "name")]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RecipesCommand {
    /// Print the document of a ready recipe, to start from.
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Print the reference page of steps and output formats (Markdown).
    Reference,
    /// Write the pictures that the reference page shows.
    #[command(hide = true)]
    Pictures {
        /// The photo to show every step on.
        #[arg(value_name = "PHOTO")]
        photo: PathBuf,
        /// Where to.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print the reference page of all settings (Markdown) instead.
    #[arg(long)]
    pub(crate) reference: bool,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; must not exist.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) settings: StorageFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// A file written by `pixmill backup`.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) settings: StorageFlags,
}

#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The JPEG photo to upload, each time made distinct without changing a pixel.
    #[arg(value_name = "PHOTO")]
    pub(crate) photo: PathBuf,
    /// The server, `http://HOST:PORT`; any that answers `/upload` and `/status/{task_id}`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub(crate) url: String,
    /// Uploads in all.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) tasks: u32,
    /// Connections that upload at the same time.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) connections: u32,
    /// Uploads a second, whatever the answers take; without it, each connection uploads as fast as it is answered.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
    /// With so many tasks unfinished, a connection waits for the oldest before it uploads again, as a backfill would;
    /// without it, tasks pile up.
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) backlog: Option<u32>,
    /// Print the figures as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// JPEG photos to mill, each a row of the table; real ones of the sizes you care about.
    #[arg(required_unless_present = "broker", conflicts_with = "broker", value_name = "PHOTO")]
    pub(crate) photos: Vec<PathBuf>,
    /// Measure the Redis broker at this address instead, with a million waiting tasks; better one that is for nothing
    /// else, since the keys are left there.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) broker: Option<String>,
    /// With `--broker`: measure instead what so many idle workers, each with connections of its own, cost that Redis.
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "broker", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) idle_workers: Option<u32>,
    /// How long each measurement runs at least, seconds.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Repetitions of each measurement; medians are reported.
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) rounds: u32,
    /// Folder to measure in, on the disk that counts; removed afterwards.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) scratch: PathBuf,
    /// Also write all figures to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// Declares clap arguments for the settings of some sections, from their one declaration.
macro_rules! setting_flags {
    ($(#[doc = $about:literal])+ $name:ident: $belongs:expr) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $name(pub(crate) Flags);

        impl Args for $name {
            fn augment_args(command: ClapCommand) -> ClapCommand {
                let command = command.arg(file_argument());
                selected($belongs).fold(command, |command, setting| command.arg(argument(setting)))
            }

            fn augment_args_for_update(command: ClapCommand) -> ClapCommand {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                Ok(Self(flags_of(matches, $belongs)))
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                self.0 = flags_of(matches, $belongs);
                Ok(())
            }
        }
    };
}

setting_flags! {
    /// Every setting as a flag.
    SettingFlags: |_| true
}
setting_flags! {
    /// The settings of a gateway as flags.
    GatewayFlags: |setting| setting.section != "worker" || BEYOND_MILLING.contains(&setting.name)
}
setting_flags! {
    /// The settings of a worker as flags.
    WorkerFlags: |setting| setting.section != "server"
}
setting_flags! {
    /// Where a process of this machine answers, as flags.
    HealthFlags: |setting| ["listen", "metrics_listen"].contains(&setting.name)
}
setting_flags! {
    /// The limits of one image, and where its recipe finds files, as flags.
    MillFlags: |setting| setting.section == "limits" || setting.name == "assets"
}
setting_flags! {
    /// The limits of one image as flags.
    LimitFlags: |setting| setting.section == "limits"
}
setting_flags! {
    /// Where things lie, as flags.
    StorageFlags: |setting| setting.section == "storage"
}

fn selected(belongs: fn(&Setting) -> bool) -> impl Iterator<Item = &'static Setting> {
    all_settings().filter(move |setting| belongs(setting))
}

fn file_argument() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("Settings file [default: pixmill.toml when it exists] [env: PIXMILL_CONFIG]")
}

fn argument(setting: &'static Setting) -> Arg {
    let default = if setting.default.is_empty() {
        "none"
    } else {
        setting.default
    };
    let help = format!(
        "{} [default: {default}] [env: {}]",
        setting.about.trim(),
        setting.variable()
    );
    let argument = Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.placeholder)
        .help(help)
        .help_heading(format!("Settings: {}", setting.section))
        .hide_short_help(!FIRST_SETTINGS.contains(&setting.name))
        // Said of such a value by the setting, which knows what it takes; clap would take it for a flag it does not know.
        .allow_hyphen_values(setting.is_quantity)
        .allow_negative_numbers(true)
        .action(ArgAction::Set);
    if setting.is_switch {
        argument.num_args(0..=1).default_missing_value("true")
    } else {
        argument
    }
}

fn flags_of(matches: &ArgMatches, belongs: fn(&Setting) -> bool) -> Flags {
    let values = selected(belongs)
        .filter_map(|setting| {
            matches
                .get_one::<String>(setting.name)
                .map(|value| (setting, value.clone()))
        })
        .collect();
    Flags {
        file: matches.get_one::<PathBuf>("config").cloned(),
        values,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_part_takes_its_own_settings() {
        for (part, taken, unknown) in [
            ("gateway", ["--listen=127.0.0.1:0", "--drain-grace=1s"], "--slots=1"),
            ("worker", ["--slots=1", "--queue=images"], "--listen=127.0.0.1:0"),
            (
                "health",
                ["--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:1"],
                "--data=x",
            ),
        ] {
            let parse = |flags: &[&str]| Cli::try_parse_from([&["pixmill", part], flags].concat());
            assert!(parse(&taken).is_ok(), "{part}");
            assert!(parse(&[unknown]).is_err(), "{part} {unknown}");
        }
    }

    #[test]
    fn serve_is_what_pixmill_alone_does() {
        let alone = Cli::try_parse_from(["pixmill", "--listen", "127.0.0.1:0", "--allow-anonymous"]).unwrap();
        let Some(Command::Serve(served)) =
            Cli::try_parse_from(["pixmill", "serve", "--listen", "127.0.0.1:0", "--allow-anonymous"])
                .unwrap()
                .command
        else {
            panic!("serve was not parsed as a command");
        };
        let written = |flags: &Flags| {
            flags
                .values
                .iter()
                .map(|(s, v)| (s.name, v.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(written(&alone.settings.0), written(&served.0));
        assert_eq!(written(&served.0).len(), 2);
    }

    #[test]
    fn a_wrong_value_reaches_the_setting_and_is_no_unknown_flag() {
        for (arguments, name, value) in [
            (&["--accept-tasks", "false"][..], "accept_tasks", "false"),
            (&["--accept-tasks=false"], "accept_tasks", "false"),
            (&["--accept-tasks"], "accept_tasks", "true"),
            (&["--upkeep", "yes", "--slots", "1"], "upkeep", "yes"),
            (&["--upkeep", "--slots", "1"], "upkeep", "true"),
            (&["--upkeep", "-1"], "upkeep", "-1"),
            (&["--max-uploads", "-1"], "max_uploads", "-1"),
            (&["--slots", "-1"], "slots", "-1"),
            (&["--lease", "-5s"], "lease", "-5s"),
            (&["--memory-budget", "-1MiB"], "memory_budget", "-1MiB"),
            (&["--retention", "-7d"], "retention", "-7d"),
        ] {
            let cli = Cli::try_parse_from([&["pixmill"], arguments].concat()).unwrap();
            let given = cli.settings.0.values.into_iter().find(|(s, _)| s.name == name);
            assert_eq!(given.map(|(_, value)| value).as_deref(), Some(value), "{arguments:?}");
        }
        for (arguments, told) in [
            (
                &["process", "a.png", "-o", "out", "--jobs", "-1"][..],
                "-1 is not in 1..=1024",
            ),
            (&["load", "a.jpg", "--tasks", "-1"], "-1 is not in 1..=1000000"),
            (&["bench", "a.jpg", "--seconds", "-1"], "-1 is not in 1..=600"),
        ] {
            let error = Cli::try_parse_from([&["pixmill"], arguments].concat()).unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
