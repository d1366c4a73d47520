//! Calls: what is asked of the rules, and what comes back.

use super::names::{is_one_of, members, only_input};
use super::{Flow, Literal, Node, Part, Shape, Value, guard, is_new, shape, text};
use crate::sast::rule::Name;
use crate::sast::shape::{Argument, Callee};
use std::rc::Rc;
use std::sync::LazyLock;

/// A call with its values.
pub(super) struct Site<'v, 't> {
    pub(super) receiver: Option<&'v Value>,
    pub(super) arguments: &'v [(Option<String>, Value)],
    /// The code of the arguments.
    pub(super) nodes: &'v [Node<'t>],
    /// Whether there may be arguments that are not written.
    pub(super) open: bool,
}

/// Forms with placeholders.
static FORMATS: LazyLock<Vec<Name>> =
    LazyLock::new(|| ["*.String.format", "fmt.Sprintf", "fmt.Errorf", "util.format", "*.MessageFormat.format"].map(Name::new).into());
/// Lists of what they are given.
static LISTS: LazyLock<Vec<Name>> = LazyLock::new(|| ["*.List.of", "*.Arrays.asList", "*.Set.of", "*.Stream.of", "Array.of"].map(Name::new).into());
/// Parts of a path.
static PATHS: LazyLock<Vec<Name>> = LazyLock::new(|| {
    [
        "*.path.join",
        "path.resolve",
        "path/filepath.Join",
        "path.Join",
        "*.Paths.get",
        "*.Path.of",
        "*.posixpath.join",
        "pathlib.Path",
        "pathlib.PurePath",
        "*.joinpath",
        "java.io.File",
    ]
    .map(Name::new)
    .into()
});
/// What is made of a text, and is that text.
static TEXTS: LazyLock<Vec<Name>> = LazyLock::new(|| {
    [
        "*.URI.create",
        "java.net.URL",
        "java.net.URI",
        "java.lang.StringBuilder",
        "java.lang.StringBuffer",
        "java.lang.String",
        "java.io.StringReader",
        "io.StringIO",
        "strings.NewReader",
        "bytes.NewBufferString",
        "bytes.NewReader",
        "*.HttpUrl.parse",
        "*.HttpUrl.get",
        "*.UriComponentsBuilder.fromUriString",
        "net/url.Parse",
        "urllib.parse.urlparse",
    ]
    .map(Name::new)
    .into()
});
/// Methods that give their object's text, changed a little.
const SAME: [&str; 30] = [
    "strip",
    "lstrip",
    "rstrip",
    "trim",
    "trimStart",
    "trimEnd",
    "lower",
    "upper",
    "toLowerCase",
    "toUpperCase",
    "encode",
    "decode",
    "toString",
    "title",
    "casefold",
    "getBytes",
    "toCharArray",
    "text",
    "String",
    "str",
    "bytes",
    "string",
    "from",
    "TrimSpace",
    "ToLower",
    "ToUpper",
    "valueOf",
    "stripIndent",
    "expanduser",
    "normalize",
];
/// Methods that look something up: what comes back is the object's.
const LOOKUPS: [&str; 8] = ["get", "getOrDefault", "indexOf", "index", "count", "at", "Get", "Load"];
/// What is read from elsewhere is not what was asked with.
const ELSEWHERE: [&str; 28] = [
    "find",
    "findOne",
    "findById",
    "findAll",
    "findMany",
    "findUnique",
    "findFirst",
    "query",
    "queryForObject",
    "execute",
    "executeQuery",
    "fetch",
    "fetchone",
    "fetchall",
    "select",
    "exec",
    "Query",
    "QueryRow",
    "Exec",
    "QueryContext",
    "ExecContext",
    "scalar",
    "first",
    "all",
    "one",
    "save",
    "urlopen",
    "filter_by",
];
/// Methods that add what they are given to their object.
const ADDS: [&str; 14] =
    ["append", "push", "add", "insert", "write", "WriteString", "extend", "put", "set", "unshift", "addAll", "setdefault", "update", "setProperty"];
/// Methods that give each part of their object to a function.
const EACH: [&str; 12] = ["map", "forEach", "filter", "reduce", "flatMap", "some", "every", "find", "then", "each", "sort", "findIndex"];
/// Functions after which nothing follows.
static LEAVES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    [
        "sys.exit",
        "exit",
        "quit",
        "flask.abort",
        "*.abort",
        "os._exit",
        "process.exit",
        "panic",
        "log.Fatal",
        "log.Fatalf",
        "log.Fatalln",
        "os.Exit",
        "*.System.exit",
        "notFound",
        "*.AbortWithStatus",
        "*.AbortWithStatusJSON",
    ]
    .map(Name::new)
    .into()
});

impl<'t> Flow<'_, 't> {
    pub(super) fn call(&mut self, callee: Callee<'t>, arguments: Vec<Argument<'t>>, node: &Node<'t>) -> Value {
        let (receiver, names, held) = self.callee(&callee);
        let last = names.first().map(|name| last_word(name).to_owned()).unwrap_or_default();
        let nodes: Vec<Node<'t>> = arguments.iter().map(|argument| argument.value.clone()).collect();
        let (given, open) = self.arguments(arguments, receiver.as_ref(), &last);
        let site = Site { receiver: receiver.as_ref(), arguments: &given, nodes: &nodes, open };
        self.check_call(&names, &site, node);
        let values: Vec<&Value> = given.iter().map(|(_, value)| value).collect();
        let sources: Vec<usize> = receiver.iter().chain(values.iter().copied()).flat_map(|value| value.sites.iter().copied()).collect();
        self.silence(&names, &sources);
        if is_one_of(&names, &LEAVES) && is_statement(node) {
            self.left = true;
        }
        let mut result = self.result(&names, &last, &site, &values, node);
        self.fill(&names, &site);
        if ADDS.contains(&last.as_str())
            && let (Some(receiver), Some(of)) = (&receiver, &held)
        {
            self.add_to(of, receiver, &values, &result);
        }
        // A check that stops by itself holds for what follows.
        if is_statement(node) && (guard::ensures(&last) || self.index.neutral.has(&names)) {
            let checked: Vec<u64> = values.iter().flat_map(|value| guard::ids(value)).collect();
            self.scope.check(&checked);
        }
        let cleaned: Vec<usize> = self.index.sanitizers.find(&names).collect();
        if !cleaned.is_empty() {
            result = result.clean_for(&cleaned);
        }
        let mut called: Vec<Rc<str>> = names.iter().take(3).cloned().collect();
        result.add_calls(&called);
        for value in receiver.iter().chain(values.iter().copied()) {
            result.add_calls(&value.calls);
        }
        if is_new(&callee) && given.iter().any(|(name, _)| name.is_some()) {
            result.fields = Some(Rc::new(given.iter().filter_map(|(name, value)| Some((name.as_deref()?.into(), value.clone()))).collect()));
        }
        if result.names.is_empty() {
            let types = self.index.types_of_calls.find(&names).filter_map(|number| self.index.type_names.get(number as usize)).map(|name| Rc::from(&**name));
            result.names = types.collect();
            // An instance has the name of its type, too.
            if is_new(&callee) {
                result.names.extend(called.clone());
            }
            called.iter_mut().for_each(|name| *name = format!("{name}()").into());
            result.names.extend(called.into_iter().filter(|name| name.len() < 200));
        }
        // A rule's own source may be named with what it gives, or as the call.
        let given_names = std::mem::replace(&mut result.names, names.clone());
        result = self.marked(result, node);
        result.names = given_names;
        result = self.marked(result, node);
        result.sites = std::iter::once(node.node_id()).chain(receiver.iter().flat_map(|receiver| receiver.sites.iter().copied()).take(4)).collect();
        result
    }

    /// `decode(&target)`: what is given by its address is filled with what else the call gets, or with input when the call is a source.
    fn fill(&mut self, names: &[Rc<str>], site: &Site<'_, 't>) {
        let targets: Vec<Node<'t>> = site.nodes.iter().filter(|node| node.kind() == "unary_expression").filter_map(|node| node.field("operand")).collect();
        if targets.is_empty() {
            return;
        }
        let carried = if self.index.sources.has(names) {
            site.nodes.first().map(|node| Value::input(self.taint(node, super::Origin::Input, true))).unwrap_or_default()
        } else {
            let of = site.receiver.into_iter().chain(site.arguments.iter().map(|(_, value)| value));
            let mut carried = Value::carrying(of);
            for part in &mut carried.parts {
                if let Part::Input(taint) = part {
                    taint.whole = true;
                }
            }
            carried
        };
        if carried.is_tainted() {
            let cleaned: Vec<usize> = self.index.sanitizers.find(names).collect();
            let carried = carried.clean_for(&cleaned);
            for target in targets {
                let text = target.text().into_owned();
                let names = self.scope.get(&text).map(|value| value.names.clone()).unwrap_or_default();
                self.scope.set(&text, Value { names, ..carried.clone() });
            }
        }
    }

    /// The object, the full names of what is called, and the node of the object.
    fn callee(&mut self, callee: &Callee<'t>) -> (Option<Value>, Vec<Rc<str>>, Option<Node<'t>>) {
        match callee {
            Callee::Value(function) => {
                let value = self.visit(function);
                (None, value.names, None)
            }
            Callee::Method(Some(object), name) => {
                let receiver = self.visit(object);
                let names = members(&receiver, name);
                (Some(receiver), names, Some(object.clone()))
            }
            Callee::Method(None, name) => (None, self.bound.get(name).cloned().unwrap_or_else(|| vec![name.as_str().into()]), None),
            Callee::New(kind) => {
                let names = match shape(self.index.dialect.language, kind) {
                    Shape::Member(..) => {
                        let names = self.visit(kind).names;
                        if names.is_empty() { self.type_names(kind) } else { names }
                    }
                    Shape::Name(name) => {
                        self.scope.get(&name).map(|value| value.names.clone()).filter(|names| !names.is_empty()).unwrap_or_else(|| self.global(&name))
                    }
                    _ => {
                        let names = self.type_names(kind);
                        if names.is_empty() { self.visit(kind).names } else { names }
                    }
                };
                (None, names, None)
            }
            Callee::Annotation(name) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let names = self.global(last);
                (None, names.iter().map(|name| format!("@{name}").into()).chain(names.iter().cloned()).collect(), None)
            }
        }
    }

    fn arguments(&mut self, arguments: Vec<Argument<'t>>, receiver: Option<&Value>, last: &str) -> (Vec<(Option<String>, Value)>, bool) {
        let mut given = Vec::new();
        let mut open = false;
        for argument in arguments {
            let each = receiver.filter(|_| EACH.contains(&last)).map(each_of);
            self.given = each;
            let value = self.visit(&argument.value);
            self.given = None;
            if let Some(name) = &argument.name {
                self.check_assign(&[name.as_str().into()], &value, &argument.value);
            }
            if argument.spread {
                open = true;
                // Keywords that are written elsewhere are given nonetheless.
                match (&value.fields, &value.items) {
                    (Some(fields), _) => given.extend(fields.iter().map(|(name, value)| (Some(name.to_string()), value.clone()))),
                    (None, Some(items)) => given.extend(items.iter().map(|item| (None, item.clone()))),
                    (None, None) => given.push((None, value)),
                }
                continue;
            }
            given.push((argument.name, value));
        }
        (given, open)
    }

    fn result(&mut self, names: &[Rc<str>], last: &str, site: &Site<'_, 't>, values: &[&Value], node: &Node<'t>) -> Value {
        let origin = self.origin(names);
        if let Some(origin) = origin {
            let known = values.first().is_some_and(|value| value.constant_text().is_some());
            let mut taint = self.taint(node, origin, true);
            if !known {
                // Each time something else is read.
                taint.id = super::value::identity(&[&node.node_id().to_string()]);
            }
            return Value::input(taint);
        }
        if let Some(implied) = guard::of_call(last, site.receiver, values) {
            return implied;
        }
        let asks_source = LOOKUPS.contains(&last) && site.receiver.is_some_and(Value::is_tainted);
        if self.index.neutral.has(names) && !asks_source {
            // The error that comes with it in Go is nothing when the input was of the right form.
            let checked: Vec<u64> = values.iter().flat_map(|value| guard::ids(value)).collect();
            let implies = self.gives_errors().then(|| Rc::new([checked, Vec::new()]));
            return Value { parts: vec![Part::Unknown], implies, ..Value::default() };
        }
        if names.iter().any(|name| &**name == "require" || &**name == "import")
            && let Some(module) = values.first().and_then(|value| value.constant_text())
        {
            let name: Rc<str> = module.strip_prefix("node:").unwrap_or(&module).into();
            self.check_import(std::slice::from_ref(&name), node);
            return Value::named(vec![name]);
        }
        if names.iter().any(|name| &**name == "util.promisify")
            && let Some(function) = values.first()
        {
            return Value::named(function.names.clone());
        }
        if is_one_of(names, &FORMATS)
            && let Some((form, rest)) = values.split_first()
        {
            let open = if names.iter().any(|name| name.contains("MessageFormat")) { '{' } else { '%' };
            return text::formatted(form, &rest.iter().map(|value| (*value).clone()).collect::<Vec<_>>(), open);
        }
        if is_one_of(names, &TEXTS) {
            return values.first().map_or_else(|| Value::text(""), |value| text::same(value));
        }
        if is_one_of(names, &LISTS) {
            return Value { items: Some(Rc::new(values.iter().map(|value| (*value).clone()).collect())), ..Value::default() };
        }
        if let Some(positions) = self.index.carries.find(names).next().and_then(|number| self.index.carried.get(number as usize)) {
            let kept: Vec<Value> = positions.iter().filter_map(|position| values.get(*position)).map(|value| (*value).clone()).collect();
            return Value::concatenate(kept);
        }
        if is_one_of(names, &PATHS) {
            let parts: Vec<&Value> =
                site.receiver.filter(|receiver| !receiver.names.iter().any(|name| name.ends_with("path"))).into_iter().chain(values.iter().copied()).collect();
            return text::path(&parts);
        }
        self.result_of_method(last, site, values)
    }

    fn result_of_method(&mut self, last: &str, site: &Site<'_, 't>, values: &[&Value]) -> Value {
        let known = |value: &&Value| value.parts.iter().any(|part| !matches!(part, Part::Unknown)) || value.items.is_some();
        match (last, site.receiver.filter(known)) {
            ("format" | "formatted", Some(form)) => {
                let open = if last == "format" { '{' } else { '%' };
                text::formatted(form, &values.iter().map(|value| (*value).clone()).collect::<Vec<_>>(), open)
            }
            ("join", Some(separator)) if separator.items.is_none() => match values.first().and_then(|value| value.items.as_ref()) {
                Some(items) => text::path(&items.iter().collect::<Vec<_>>()),
                None => Value::carrying(values.iter().copied()),
            },
            ("join", Some(list)) => text::path(&list.items.iter().flat_map(|items| items.iter()).collect::<Vec<_>>()),
            ("concat" | "append", Some(text)) if text.items.is_none() => {
                Value::concatenate(std::iter::once(text.clone()).chain(values.iter().map(|value| (*value).clone())))
            }
            ("replace" | "replaceAll" | "substring" | "slice" | "substr" | "format_map" | "removeprefix" | "split", Some(text)) => only_input_or_unknown(text),
            (last, Some(text)) if SAME.contains(&last) => text::same(text),
            (last, None) if SAME.contains(&last) && values.len() <= 2 && values.first().is_some_and(known) => {
                values.first().map_or_else(Value::unknown, |value| text::same(value))
            }
            (last, receiver) if LOOKUPS.contains(&last) => match receiver.filter(|receiver| receiver.is_tainted()) {
                Some(receiver) => {
                    let key = values.first().and_then(|value| value.constant_text());
                    let field = key.as_ref().and_then(|key| receiver.field(key)).cloned();
                    let found = only_input(receiver);
                    field.unwrap_or_else(|| key.map_or_else(|| found.clone(), |key| found.clone().part(&key)))
                }
                None => match (
                    site.receiver.and_then(|receiver| receiver.field(&values.first().and_then(|value| value.constant_text()).unwrap_or_default())),
                    values.get(1),
                ) {
                    (Some(field), _) => field.clone(),
                    // What is there when nothing is.
                    (None, Some(otherwise)) => Value { literal: None, ..Value::join(&Value::unknown(), otherwise) },
                    (None, None) => Value::unknown(),
                },
            },
            (last, _) if ELSEWHERE.contains(&last) => Value::unknown(),
            _ => {
                let mut carried = Value::carrying(site.receiver.into_iter().chain(values.iter().copied()));
                if let (Some(receiver), Some(key)) = (site.receiver, values.first().and_then(|value| value.constant_text()))
                    && values.len() == 1
                    && receiver.is_tainted()
                {
                    carried = only_input(receiver).part(&key);
                }
                carried
            }
        }
    }

    fn add_to(&mut self, of: &Node<'t>, receiver: &Value, values: &[&Value], result: &Value) {
        // `text.append(a).append(b)` adds to `text`.
        let mut container = of.clone();
        while let Shape::Call(Callee::Method(Some(object), name), _) = shape(self.index.dialect.language, &container) {
            if !ADDS.contains(&name.as_str()) {
                return;
            }
            container = object;
        }
        let text = container.text().into_owned();
        let Some(held) = self.scope.get(&text).cloned() else {
            let carried = Value::carrying(values.iter().copied());
            return self.put(&container, receiver, &carried);
        };
        // What is built piece by piece keeps its order.
        if held.items.is_none() && held.parts.iter().any(|part| matches!(part, Part::Text(_))) {
            let parts = if result.parts.iter().any(|part| matches!(part, Part::Text(_))) {
                result.parts.clone()
            } else {
                Value::concatenate(std::iter::once(held.clone()).chain(values.iter().map(|value| (*value).clone()))).parts
            };
            self.scope.set(&text, Value { parts, ..held });
            return;
        }
        let carried = Value::carrying(values.iter().copied());
        self.put(&container, receiver, &carried);
    }
}

fn only_input_or_unknown(value: &Value) -> Value {
    let found = only_input(value);
    if found.parts.is_empty() { Value { parts: vec![Part::Unknown], ..found } } else { found }
}

/// What a function is given that goes through a value.
fn each_of(value: &Value) -> Value {
    let inner = Value::carrying([value]);
    if value.literal == Some(Literal::Null) { Value::unknown() } else { inner }
}

/// The last part of a name, without what stands for another call.
fn last_word(name: &str) -> &str {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.rsplit('/').next().unwrap_or(last).trim_start_matches('?')
}

/// Whether the result of a call is not used.
fn is_statement(node: &Node<'_>) -> bool {
    node.parent().is_some_and(|parent| matches!(&*parent.kind(), "expression_statement"))
}
