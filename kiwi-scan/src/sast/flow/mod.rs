//! Follows values through a file: each function by itself, in the order of execution, and asks the rules at what it meets.

mod call;
mod check;
mod function;
mod guard;
mod names;
mod scope;
mod statement;
mod text;
mod value;

use super::language::{Node, Tree};
use super::rule::{Index, Place};
use super::shape::{Callee, Operator, Shape, shape};
use kiwi_core::domain::Severity;
use scope::Scope;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;
use value::{Literal, Origin, Part, Taint, Value};

/// So deep may code be nested. Recursion follows it.
const DEEPEST: usize = 600;
/// How often the clock is asked.
const STEPS_OF_CLOCK: u64 = 512;

/// A place in a file at which a rule found something.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) rule: usize,
    pub(crate) severity: Severity,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// From 1.
    pub(crate) line: usize,
    /// The line at which the input came in, and whether it is only a parameter.
    pub(crate) input: Option<(usize, Origin)>,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Hit>,
    /// Why not everything was followed.
    pub(crate) cut: Option<&'static str>,
}

/// Follows the values of a file until a deadline.
pub(crate) fn follow(index: &Index, tree: &Tree, deadline: Instant) -> Found {
    let root = tree.root();
    let mut flow = Flow::new(index, deadline);
    flow.find_patterns(&root);
    flow.scope.push();
    flow.visit(&root);
    // What a file sets up is known to all of its functions, wherever it stands.
    while let Some(later) = flow.later.pop() {
        flow.left = false;
        flow.function(&later, None);
    }
    flow.finish()
}

/// A pattern of a rule that matches at a node, with what its variables stand for.
type Matched<'t> = (Place, Vec<(String, Node<'t>)>);

struct Flow<'a, 't> {
    index: &'a Index,
    deadline: Instant,
    scope: Scope,
    /// What imports bound.
    bound: HashMap<String, Vec<Rc<str>>>,
    /// Packages of which everything was imported.
    open_packages: Vec<String>,
    /// Types of the fields of types that the file declares.
    fields: HashMap<String, Vec<Rc<str>>>,
    /// Enumerations that the file declares.
    enums: HashSet<String>,
    /// Functions to follow when the rest of the file is known.
    later: Vec<Node<'t>>,
    /// The functions that enclose this place.
    within: Vec<function::Within>,
    hits: BTreeMap<(usize, usize), (Hit, Place, Vec<usize>)>,
    silenced: HashSet<(usize, Place)>,
    patterns: HashMap<usize, Vec<Matched<'t>>>,
    /// Whether this way of execution was left.
    left: bool,
    /// The code whose value is assigned.
    assigning: Option<Node<'t>>,
    /// What a closure's first parameter is given.
    given: Option<Value>,
    /// Loops that enclose this place.
    loops: usize,
    steps: u64,
    depth: usize,
    cut: Option<&'static str>,
}

impl<'a, 't> Flow<'a, 't> {
    fn new(index: &'a Index, deadline: Instant) -> Self {
        Self {
            index,
            deadline,
            scope: Scope::default(),
            bound: HashMap::new(),
            open_packages: Vec::new(),
            fields: HashMap::new(),
            enums: HashSet::new(),
            later: Vec::new(),
            within: Vec::new(),
            hits: BTreeMap::new(),
            silenced: HashSet::new(),
            patterns: HashMap::new(),
            left: false,
            assigning: None,
            given: None,
            loops: 0,
            steps: 0,
            depth: 0,
            cut: None,
        }
    }

    fn find_patterns(&mut self, root: &Node<'t>) {
        for (place, pattern) in self.index.patterns() {
            for found in root.find_all(pattern) {
                let environment = found.get_env();
                let variables = pattern.defined_vars();
                let nodes = variables.iter().filter_map(|name| Some((format!("${name}"), environment.get_match(name)?.clone())));
                let nodes = nodes.collect();
                self.patterns.entry(found.node_id()).or_default().push((place, nodes));
            }
        }
    }

    fn finish(self) -> Found {
        let silenced = self.silenced;
        let kept = self.hits.into_values().filter(|(_, place, sites)| !sites.iter().any(|site| silenced.contains(&(*site, *place))));
        // Of several rules about the same weakness at the same place, the one that rates it worst speaks.
        let mut by_place: BTreeMap<(usize, u32), Hit> = BTreeMap::new();
        for (hit, _, _) in kept {
            let key = (hit.start, self.index.rules.get(hit.rule).map_or(0, super::rule::Rule::cwe));
            match by_place.get(&key) {
                Some(known) if known.severity >= hit.severity => {}
                _ => {
                    by_place.insert(key, hit);
                }
            }
        }
        Found { hits: by_place.into_values().collect(), cut: self.cut }
    }

    /// Evaluates a node: an expression gives its value, a statement has its effect.
    fn visit(&mut self, node: &Node<'t>) -> Value {
        self.steps += 1;
        if self.depth >= DEEPEST {
            self.cut = Some("it is nested too deeply");
            return Value::unknown();
        }
        if self.steps.is_multiple_of(STEPS_OF_CLOCK) && Instant::now() > self.deadline {
            self.cut = Some("it takes too long");
        }
        if self.cut.is_some_and(|cut| cut.ends_with("long")) {
            return Value::unknown();
        }
        self.depth += 1;
        if !self.patterns.is_empty() {
            self.check_patterns(node);
        }
        let value = self.evaluate(node);
        self.depth -= 1;
        value
    }

    fn visit_all(&mut self, nodes: &[Node<'t>]) {
        for node in nodes {
            self.visit(node);
        }
    }

    fn evaluate(&mut self, node: &Node<'t>) -> Value {
        match shape(self.index.dialect.language, node) {
            Shape::Name(name) => self.name(&name, node),
            Shape::This => Value::named(vec!["this".into(), "self".into()]),
            Shape::Text(pieces) => self.pieces(pieces),
            Shape::Number(number) => Value::literal(Literal::Number(number)),
            Shape::Bool(value) => Value::literal(Literal::Bool(value)),
            Shape::Null => Value::literal(Literal::Null),
            Shape::Member(object, name) => self.member(&object, &name, node),
            Shape::Index(object, key) => self.at(&object, &key, node),
            Shape::Call(callee, arguments) => self.call(callee, arguments, node),
            Shape::Binary(operator, left, right) => self.binary(operator, &left, &right),
            Shape::Not(operand) => {
                let implied = self.condition(&operand);
                let [yes, no] = [implied.1, implied.0];
                Value { parts: vec![Part::Unknown], implies: Some(Rc::new([no, yes])), ..Value::default() }
            }
            Shape::Conditional(condition, yes, no) => {
                let (when_true, when_false) = self.condition(&condition);
                let yes = self.visit_when(&when_true, &yes);
                let no = self.visit_when(&when_false, &no);
                Value::join(&yes, &no)
            }
            Shape::Object(entries) => self.object(entries),
            Shape::List(nodes) => {
                let items = nodes.iter().map(|item| self.visit(item)).collect();
                Value { items: Some(Rc::new(items)), ..Value::default() }
            }
            Shape::Comprehension(elements, clauses) => {
                self.scope.push();
                self.visit_all(&clauses);
                let items: Vec<Value> = elements.iter().map(|element| self.visit(element)).collect();
                self.scope.pop();
                Value { items: Some(Rc::new(items)), ..Value::default() }
            }
            Shape::Function(_) => {
                self.define(node);
                Value::unknown()
            }
            Shape::Same(inner) => self.visit(&inner),
            other => {
                self.statement(other, node);
                Value::unknown()
            }
        }
    }

    fn visit_when(&mut self, checked: &[u64], node: &Node<'t>) -> Value {
        self.scope.push();
        self.scope.check(checked);
        let value = self.visit(node);
        let layer = self.scope.pop();
        drop(layer);
        value
    }

    fn object(&mut self, entries: Vec<(Option<String>, Node<'t>)>) -> Value {
        let mut fields: Vec<(Rc<str>, Value)> = Vec::new();
        for (key, node) in entries {
            let value = self.visit(&node);
            match key {
                Some(key) => {
                    self.check_assign(&[key.as_str().into()], &value, &node);
                    fields.push((key.as_str().into(), value));
                }
                None => match &value.fields {
                    Some(inner) => fields.extend(inner.iter().cloned()),
                    None => fields.push(("...".into(), value)),
                },
            }
        }
        Value { fields: Some(Rc::new(fields)), ..Value::default() }
    }

    fn binary(&mut self, operator: Operator, left: &Node<'t>, right: &Node<'t>) -> Value {
        match operator {
            Operator::And | Operator::Or | Operator::Either => return self.choice(operator, left, right),
            _ => {}
        }
        let (one, other) = (self.visit(left), self.visit(right));
        match operator {
            Operator::Add => match (&one.items, &other.items) {
                (Some(a), Some(b)) => Value { items: Some(Rc::new(a.iter().chain(b.iter()).cloned().collect())), ..Value::default() },
                (Some(a), None) => Value { items: Some(Rc::new(a.iter().cloned().chain([other.clone()]).collect())), ..Value::default() },
                _ => text::add(one, other),
            },
            Operator::Percent if !one.parts.is_empty() && one.literal.is_none() => {
                let given = other.items.as_ref().map_or_else(|| vec![other.clone()], |items| items.to_vec());
                text::formatted(&one, &given, '%')
            }
            Operator::Subtract | Operator::Multiply | Operator::ShiftLeft | Operator::Power => text::calculated(operator, &one, &other),
            Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn => guard::comparison(operator, &one, &other),
            _ => {
                let mut value = Value::unknown();
                value.add_calls(&one.calls);
                value.add_calls(&other.calls);
                value
            }
        }
    }

    /// An identity for input at a node.
    fn taint(&self, node: &Node<'_>, origin: Origin, whole: bool) -> Taint {
        Taint { id: value::identity(&[&node.text()]), origin, line: node.start_pos().line() + 1, whole, only: None, clean_for: Rc::new([]) }
    }
}

/// Whether a call makes what it is named after.
fn is_new(callee: &Callee<'_>) -> bool {
    matches!(callee, Callee::New(_))
}
