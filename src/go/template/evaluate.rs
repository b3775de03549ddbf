//! Fills a template, after text/template/exec.go.
//!
//! Go's reflection tells a value that is missing from a nil in an interface: a field of the first is the
//! first again, a field of the second is an error. `missingkey` decides which of the two a key that is not
//! there yields. Everything else follows from types, which `function` checks.

use std::rc::Rc;

use super::budget::Budget;
use super::builtins;
use super::fault::{Fault, Result};
use super::function::{Call, Function, Parameters, assign, assign_constant, constant};
use super::print;
use super::tree::{Block, Branch, Command, Operand, Pipeline, Statement, StatementKind, Tree};
use super::value::Value;
use super::{Functions, MissingKey};

/// How deep templates may call templates, and expressions nest.
const MAX_DEPTH: u32 = 150;

pub(super) struct Evaluation<'t> {
    pub(super) tree: &'t Tree,
    pub(super) functions: &'t Functions,
    pub(super) missing_key: MissingKey,
    pub(super) budget: &'t Budget,
    pub(super) given: &'t Value,
    pub(super) out: String,
    pub(super) variables: Vec<(String, Value)>,
    pub(super) depth: u32,
    pub(super) calls: u64,
}

/// How a statement ends.
#[derive(PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl Evaluation<'_> {
    /// Fills the template of a name with a value as `.` and `$`.
    pub(super) fn template(&mut self, name: &str, dot: &Value) -> Result<()> {
        let Some(block) = self.tree.templates.get(name) else {
            return Err(Fault::new(format!("the template {name:?} is not defined")));
        };
        let block = Rc::clone(block);
        self.deeper()?;
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        let result = self.block(&block, dot);
        self.variables = outer;
        self.depth -= 1;
        result.map(|_| ())
    }

    fn deeper(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::limit("templates call each other too deeply"));
        }
        Ok(())
    }

    fn block(&mut self, block: &Block, dot: &Value) -> Result<Flow> {
        for statement in block {
            self.budget.step(1)?;
            let flow = (self.statement(statement, dot)).map_err(|f| f.at(statement.line))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement, dot: &Value) -> Result<Flow> {
        match &statement.kind {
            StatementKind::Text(text) => self.write(text)?,
            StatementKind::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    let text = print::display(&value)?;
                    self.write(&text)?;
                }
            }
            StatementKind::If(branch) => return self.choose(branch, dot, false),
            StatementKind::With(branch) => return self.choose(branch, dot, true),
            StatementKind::Range(branch) => return self.range(branch, dot),
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
            StatementKind::Template(name, argument) => {
                let value = match argument {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Value::Missing,
                };
                self.template(name, &value)?;
            }
        }
        Ok(Flow::Next)
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.budget.bytes(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn choose(&mut self, branch: &Branch, dot: &Value, moves_dot: bool) -> Result<Flow> {
        let declared = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let flow = if value.is_true() {
            let dot = if moves_dot { &value } else { dot };
            self.block(&branch.body, dot)
        } else if let Some(block) = &branch.otherwise {
            self.block(block, dot)
        } else {
            Ok(Flow::Next)
        };
        self.variables.truncate(declared);
        flow
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow> {
        let declared = self.variables.len();
        let value = self.pipeline(&branch.pipeline, dot)?;
        let pairs = self.pairs(&value, branch.pipeline.variables.len())?;
        let flow = if pairs.is_empty() {
            match &branch.otherwise {
                Some(block) => self.block(block, dot),
                None => Ok(Flow::Next),
            }
        } else {
            self.iterate(branch, pairs)
        };
        self.variables.truncate(declared);
        flow
    }

    fn iterate(&mut self, branch: &Branch, pairs: Vec<(Value, Value)>) -> Result<Flow> {
        let names = &branch.pipeline.variables;
        for (index, item) in pairs {
            let mark = self.variables.len();
            let is_assignment = branch.pipeline.is_assignment;
            match names.as_slice() {
                [] => {}
                [only] => self.bind(only, item.clone(), is_assignment)?,
                [first, second, ..] => {
                    self.bind(first, index, is_assignment)?;
                    self.bind(second, item.clone(), is_assignment)?;
                }
            }
            let flow = self.block(&branch.body, &item)?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// What `range` walks: indices or keys, and items.
    fn pairs(&self, value: &Value, variables: usize) -> Result<Vec<(Value, Value)>> {
        match value {
            Value::Missing | Value::Nil => Ok(Vec::new()),
            Value::List(list) => {
                self.budget
                    .bytes(list.items().len() * size_of::<(Value, Value)>())?;
                Ok((list.items().iter().enumerate())
                    .map(|(i, item)| (Value::length(i), item.clone()))
                    .collect())
            }
            Value::Map(map) => Ok((map.entries().iter())
                .map(|(key, item)| (Value::String(Rc::clone(key)), item.clone()))
                .collect()),
            Value::Int(count, kind) => {
                if variables > 1 {
                    return Err(Fault::new("`range` over a number has one variable"));
                }
                let length = usize::try_from(*count).unwrap_or(0);
                self.budget
                    .bytes(length.saturating_mul(size_of::<(Value, Value)>()))?;
                Ok((0..*count)
                    .map(|i| (Value::Int(i, *kind), Value::Int(i, *kind)))
                    .collect())
            }
            other => Err(Fault::new(format!(
                "`range` cannot walk a {}",
                other.type_name()
            ))),
        }
    }

    fn bind(&mut self, name: &str, value: Value, is_assignment: bool) -> Result<()> {
        if !is_assignment {
            self.variables.push((name.to_owned(), value));
            return Ok(());
        }
        let slot = self.variables.iter_mut().rev().find(|(n, _)| n == name);
        let slot = slot.ok_or_else(|| Fault::new(format!("`{name}` is not declared")))?;
        slot.1 = value;
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value> {
        self.deeper()?;
        let mut value = None;
        for command in &pipeline.commands {
            let result = self.command(command, dot, value.take());
            value = Some(result.map_err(|f| f.at(command.line))?.unwrapped());
        }
        self.depth -= 1;
        let value = value.unwrap_or_default();
        // `range` binds its variables anew for each item; the first binding is the whole.
        for name in &pipeline.variables {
            self.bind(name, value.clone(), pipeline.is_assignment)?;
        }
        Ok(value)
    }

    fn command(&mut self, command: &Command, dot: &Value, last: Option<Value>) -> Result<Value> {
        self.budget.step(1)?;
        let (first, arguments) = command
            .operands
            .split_first()
            .expect("a command has a word");
        match first {
            Operand::Field(names) => self.fields(dot.clone(), names, arguments, dot, last),
            Operand::Variable(name, names) => {
                let value = self.variable(name)?;
                if names.is_empty() {
                    no_arguments(arguments, last.as_ref())?;
                    return Ok(value);
                }
                self.fields(value, names, arguments, dot, last)
            }
            Operand::Chain(start, names) => {
                let value = self.operand(start, dot)?.unwrapped();
                self.fields(value, names, arguments, dot, last)
            }
            Operand::Function(name) => self.function(name, arguments, dot, last),
            Operand::Pipe(pipeline) => {
                no_arguments(arguments, last.as_ref())?;
                self.pipeline(pipeline, dot)
            }
            Operand::Nil => Err(Fault::new("`nil` is not a command")),
            Operand::Dot | Operand::Bool(_) | Operand::String(_) | Operand::Number(_) => {
                no_arguments(arguments, last.as_ref())?;
                self.operand(first, dot)
            }
        }
    }

    fn variable(&self, name: &str) -> Result<Value> {
        let found = self.variables.iter().rev().find(|(n, _)| n == name);
        let (_, value) = found.ok_or_else(|| Fault::new(format!("`{name}` is not declared")))?;
        Ok(value.clone())
    }

    /// The value of an operand that has no arguments of its own.
    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value> {
        self.budget.step(1)?;
        match operand {
            Operand::Dot => Ok(dot.clone()),
            Operand::Field(names) => self.fields(dot.clone(), names, &[], dot, None),
            Operand::Variable(name, names) => {
                let value = self.variable(name)?;
                self.fields(value, names, &[], dot, None)
            }
            Operand::Function(name) => self.function(name, &[], dot, None),
            Operand::Pipe(pipeline) => self.pipeline(pipeline, dot),
            Operand::Chain(start, names) => {
                let value = self.operand(start, dot)?.unwrapped();
                self.fields(value, names, &[], dot, None)
            }
            Operand::Nil | Operand::Bool(_) | Operand::String(_) | Operand::Number(_) => {
                Ok(constant(operand))
            }
        }
    }

    /// Follows names; the arguments are those of the last one, which may be a method.
    fn fields(
        &mut self,
        start: Value,
        names: &[String],
        arguments: &[Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        let Some((final_name, way)) = names.split_last() else {
            return Ok(start);
        };
        let mut value = start;
        for name in way {
            value = self.field(&value, name, None)?;
        }
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(self.operand(argument, dot)?);
        }
        given.extend(last);
        self.field(&value, final_name, Some(given))
    }

    fn field(&self, value: &Value, name: &str, arguments: Option<Vec<Value>>) -> Result<Value> {
        let arguments = arguments.unwrap_or_default();
        match value {
            Value::Missing => {
                if self.missing_key == MissingKey::Error {
                    return Err(Fault::new(format!(
                        "there is no data to look up `{name}` in"
                    )));
                }
                Ok(Value::Missing)
            }
            Value::Nil => Err(Fault::new(format!("a null has no field `{name}`"))),
            Value::Map(map) => {
                if !arguments.is_empty() {
                    return Err(Fault::new(format!(
                        "`.{name}` is not a method but has arguments"
                    )));
                }
                if let Some(found) = map.get(name) {
                    return Ok(found);
                }
                match self.missing_key {
                    MissingKey::Default => Ok(Value::Missing),
                    MissingKey::Zero => Ok(builtins::zero_of(map.element)),
                    MissingKey::Error => {
                        Err(Fault::missing_key(format!("the map has no key `{name}`")))
                    }
                }
            }
            Value::Object(object) => object.call(name, &arguments).unwrap_or_else(|| {
                Err(Fault::new(format!(
                    "a {} has no method `{name}`",
                    object.type_name()
                )))
            }),
            other => Err(Fault::missing_key(format!(
                "a {} has no field `{name}`",
                other.type_name()
            ))),
        }
    }

    fn function(
        &mut self,
        name: &str,
        arguments: &[Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        if matches!(name, "and" | "or") {
            return self.logic(name == "and", arguments, dot, last);
        }
        let function = self.functions.find(name);
        let function = function.ok_or_else(|| Fault::new(format!("`{name}` is not known")))?;
        let parameters = Parameters::of(&function);
        parameters.check(name, arguments.len() + usize::from(last.is_some()))?;
        let mut given = Vec::with_capacity(arguments.len() + 1);
        for (index, argument) in arguments.iter().enumerate() {
            let letter = parameters.letter(index);
            given.push(match argument {
                Operand::Nil | Operand::Bool(_) | Operand::String(_) | Operand::Number(_) => {
                    assign_constant(name, argument, letter)?
                }
                _ => assign(name, self.operand(argument, dot)?, letter)?,
            });
        }
        if let Some(value) = last {
            given.push(assign(name, value, parameters.letter(arguments.len()))?);
        }
        self.call(&function, &given)
    }

    fn call(&mut self, function: &Function, given: &[Value]) -> Result<Value> {
        self.budget.step(1)?;
        self.calls += 1;
        let call = Call {
            budget: self.budget,
            given: self.given,
            serial: self.calls,
        };
        (function.body)(&call, given).map_err(|fault| fault.within(function.name))
    }

    /// `and` and `or` stop at the first argument that decides.
    fn logic(
        &mut self,
        is_and: bool,
        arguments: &[Operand],
        dot: &Value,
        last: Option<Value>,
    ) -> Result<Value> {
        let mut value = None;
        for argument in arguments {
            let next = self.operand(argument, dot)?;
            let decides = next.is_true() != is_and;
            value = Some(next);
            if decides {
                return Ok(value.unwrap_or_default());
            }
        }
        last.or(value)
            .ok_or_else(|| Fault::new("`and` and `or` take at least 1 argument, not 0"))
    }
}

fn no_arguments(arguments: &[Operand], last: Option<&Value>) -> Result<()> {
    if arguments.is_empty() && last.is_none() {
        return Ok(());
    }
    Err(Fault::new("a value that is not a function has arguments"))
}
