//! The wizard as questions and answers: a state that a terminal, an API or a page drives.

use super::detect;
use super::files::Files;
use super::language;
use super::tree::Tree;
use super::{Choices, Framework, Language, Plan, plan};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a question is about, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Which app of the repository.
    App,
    /// What it is written in.
    Language,
    /// What it is built upon.
    Framework,
    /// Which version of the language.
    Version,
    /// What starts it.
    Start,
    /// Where it listens.
    Port,
}

/// One possible answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What is answered.
    pub value: String,
    /// How people read it.
    pub title: String,
}

/// A question with what the wizard would answer itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// What it is about.
    pub subject: Subject,
    /// The question.
    pub text: String,
    /// Possible answers; none when any text will do.
    pub choices: Vec<Choice>,
    /// What an empty answer means; none when one must be given.
    pub suggestion: Option<String>,
}

/// What comes next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Something only a person knows, or may want to change.
    Ask(Question),
    /// Everything is known.
    Done(Box<Plan>),
}

/// Where the questions stand. It holds answers only, so it can be kept or sent anywhere between two of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interview {
    /// The answers so far, and what was decided before.
    pub choices: Choices,
    answered: Vec<Subject>,
}

const ORDER: [Subject; 6] = [Subject::App, Subject::Language, Subject::Framework, Subject::Version, Subject::Start, Subject::Port];

impl Interview {
    /// Questions about what `choices` leave open.
    pub fn new(choices: Choices) -> Self {
        Self { choices, answered: Vec::new() }
    }

    /// The next question, or the plan.
    ///
    /// Errors: `InvalidInput` when the answers do not lead to a plan.
    pub fn step(&self, tree: &dyn Tree) -> Result<Step> {
        for subject in ORDER {
            if self.answered.contains(&subject) || self.is_decided(subject) {
                continue;
            }
            if let Some(question) = self.question(tree, subject)? {
                return Ok(Step::Ask(question));
            }
        }
        Ok(Step::Done(Box::new(plan(tree, &self.choices)?)))
    }

    /// Takes the answer of the question that [`step`](Self::step) asks; an empty one is the suggestion.
    ///
    /// Errors: `InvalidInput` when the answer is none of the choices; the state is then unchanged.
    pub fn answer(&mut self, tree: &dyn Tree, answer: &str) -> Result<()> {
        let Step::Ask(question) = self.step(tree)? else {
            return Err(Error::invalid("answer", "there is no question left"));
        };
        let answer = answer.trim();
        if answer.is_empty() && question.suggestion.is_none() {
            return Err(Error::invalid("answer", format!("{} needs an answer", question.text)));
        }
        if !question.choices.is_empty() && !answer.is_empty() && !question.choices.iter().any(|choice| choice.value == answer) {
            let known: Vec<_> = question.choices.iter().map(|choice| choice.value.as_str()).collect();
            return Err(Error::invalid("answer", format!("{answer:?} is none of the choices")).with_hint(format!("choose one of {}", known.join(", "))));
        }
        let mut choices = self.choices.clone();
        if !answer.is_empty() {
            match question.subject {
                Subject::App => choices.app = Some(answer.parse()?),
                Subject::Language => choices.language = Some(answer.parse()?),
                Subject::Framework => choices.framework = Some(answer.parse()?),
                Subject::Version => choices.version = Some(answer.to_owned()),
                Subject::Start => choices.start = Some(answer.to_owned()),
                Subject::Port => choices.port = Some(answer.parse()?),
            }
        } else if question.subject == Subject::App {
            choices.app = question.suggestion.as_deref().map(str::parse).transpose()?;
        }
        self.choices = choices;
        self.answered.push(question.subject);
        Ok(())
    }

    fn is_decided(&self, subject: Subject) -> bool {
        let choices = &self.choices;
        match subject {
            Subject::App => choices.app.is_some(),
            Subject::Language => choices.language.is_some(),
            Subject::Framework => choices.framework.is_some(),
            Subject::Version => choices.version.is_some(),
            Subject::Start => choices.start.is_some(),
            Subject::Port => choices.port.is_some(),
        }
    }

    /// The question about a subject; none when there is nothing to choose.
    fn question(&self, tree: &dyn Tree, subject: Subject) -> Result<Option<Question>> {
        let ask = |text: &str, choices: Vec<Choice>, suggestion: Option<String>| Ok(Some(Question { subject, text: text.to_owned(), choices, suggestion }));
        let choices = self.choices.clone().with_file(tree)?;
        let plain = |value: &String| Choice { value: value.clone(), title: value.clone() };
        if subject == Subject::App {
            let apps = detect::apps(&Files::new(tree, ""))?;
            return if apps.len() > 1 { ask("Which app?", apps.iter().map(plain).collect(), None) } else { Ok(None) };
        }
        if subject == Subject::Language {
            let app = detect::app(tree, &choices)?;
            let suggestion = detect::language(tree, &app, &choices).ok().map(|found| found.language.to_string());
            let all = Language::ALL.iter().map(|language| Choice { value: language.to_string(), title: language.title().to_owned() }).collect();
            return ask("Which language?", all, suggestion);
        }
        let planned = plan(tree, &choices);
        let known = planned.as_ref().ok();
        match subject {
            Subject::Framework => {
                let app = detect::app(tree, &choices)?;
                let language = detect::language(tree, &app, &choices)?.language;
                let fitting: Vec<Choice> = Framework::ALL
                    .iter()
                    .filter(|framework| language::of_framework(**framework).contains(&language))
                    .map(|framework| Choice { value: framework.to_string(), title: framework.title().to_owned() })
                    .collect();
                // An empty answer keeps what was found, which may be none.
                let suggestion = known.and_then(|plan| plan.framework).map_or(String::new(), |framework| framework.to_string());
                if fitting.is_empty() { Ok(None) } else { ask("Which framework?", fitting, Some(suggestion)) }
            }
            Subject::Version => ask("Which version of the language?", Vec::new(), known.and_then(|plan| plan.version.clone())),
            Subject::Start => ask("Which command starts it?", Vec::new(), known.map(Plan::start_command)),
            // Something that does not listen needs no port.
            _ => match known.map(|plan| plan.port) {
                Some(None) => Ok(None),
                port => ask("Which port does it listen on?", Vec::new(), port.flatten().map(|port| port.to_string())),
            },
        }
    }
}
