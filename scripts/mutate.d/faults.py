# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
"""One-place faults of a C source: which are possible, and where.

A small tokenizer and a parser of statements, made for this project's style: bodies of
functions stand between braces in column 0.  Comments, strings, preprocessor lines and
what declares something are left alone; initialisers of local variables are not.
"""
import re
from collections import namedtuple

Token = namedtuple("Token", "kind text start end")
Fault = namedtuple("Fault", "path line function original mutated start end text")

TOKEN = re.compile(r"""
	(?P<skip>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
	|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
	|(?P<number>\.?[0-9](?:[eEpP][+-]|[\w.])*)
	|(?P<name>[A-Za-z_]\w*)
	|(?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
	""", re.VERBOSE | re.DOTALL | re.MULTILINE)

# What stands between two operands, and what it is mistaken for.
BINARY = {
	"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="),
	"==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
	"+": ("-",), "-": ("+",), "&": ("|",), "|": ("&",), "<<": (">>",), ">>": ("<<",),
	"+=": ("-=",), "-=": ("+=",), "&=": ("|=",), "|=": ("&=",),
	"<<=": (">>=",), ">>=": ("<<=",),
}
EITHER_SIDE = {"++": ("--",), "--": ("++",)}
NAMES = {
	"min": ("max",), "max": ("min",), "te_min": ("te_max",), "te_max": ("te_min",),
	"seq_lt": ("seq_le", "seq_gt"), "seq_le": ("seq_lt", "seq_ge"),
	"seq_gt": ("seq_ge", "seq_lt"), "seq_ge": ("seq_gt", "seq_le"),
}
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
TYPES = {"const", "static", "struct", "union", "enum", "unsigned", "signed", "int", "char",
	 "short", "long", "void", "bool", "register", "volatile", "_Static_assert"}
TYPE_NAME = re.compile(r"\w+_t$|te_time$")


def tokens_of(text):
	"""All tokens that are code."""
	return [Token(m.lastgroup, m.group(), m.start(), m.end())
		for m in TOKEN.finditer(text) if m.lastgroup != "skip"]


def is_type(token):
	return token.kind == "name" and (token.text in TYPES or TYPE_NAME.match(token.text))


class Body:
	"""The body of one function, as tokens [first, last] of the file, braces included."""

	def __init__(self, source, first, last, name):
		self.source, self.tokens = source, source.tokens
		self.first, self.last, self.name = first, last, name
		self.close = source.close
		self.void = source.is_void(first)

	def fault(self, start, end, text):
		self.source.add(self.name, start, end, text)

	def find(self):
		self.statements(self.first + 1, self.last, False)

	def statements(self, i, end, in_if):
		while i < end:
			i = self.statement(i, in_if)

	# Each takes the index of a statement's first token and returns what follows.

	def statement(self, i, in_if=False):
		text = self.tokens[i].text
		if text == "{":
			self.statements(i + 1, self.close[i], in_if)
			return self.close[i] + 1
		if text in ("if", "while", "for", "switch"):
			return self.controlled(i, text)
		if text == "do":
			i = self.statement(i + 1) + 1
			self.condition(i + 1, self.close[i])
			return self.close[i] + 2
		if text == "else":
			return self.statement(i + 1, in_if)
		if text in ("case", "default"):
			while self.tokens[i].text != ":":
				i += 1
			return i + 1
		if self.tokens[i].kind == "name" and self.tokens[i + 1].text == ":":
			return i + 2
		return self.simple(i, in_if)

	def controlled(self, i, word):
		end = self.close[i + 1]
		if word == "for":
			self.for_head(i + 2, end)
		elif word == "switch":
			self.expression(i + 2, end)
		else:
			self.condition(i + 1, end)
		i = self.statement(end + 1, word == "if")
		if word == "if" and self.tokens[i].text == "else":
			i = self.statement(i + 1, True)
		return i

	def for_head(self, i, end):
		i = self.simple(i, False)
		j = self.semicolon(i)
		if j > i:
			self.negate(i, j)
			self.expression(i, j)
		self.expression(j + 1, end)

	def condition(self, i, end):
		"""(…) of an if or a loop, parentheses at i and end"""
		self.negate(i + 1, end)
		self.expression(i + 1, end)

	def negate(self, i, end):
		start, stop = self.tokens[i].start, self.tokens[end - 1].end
		self.fault(start, stop, "!(" + self.source.text[start:stop] + ")")

	def semicolon(self, i):
		while self.tokens[i].text != ";":
			i = self.close.get(i, i) + 1
		return i

	def simple(self, i, in_if):
		"""A statement that ends with a semicolon, or the head of some macro's loop."""
		tokens, first = self.tokens, tokens_text(self.tokens, i)
		end = i
		while tokens[end].text != ";":
			end = self.close.get(end, end) + 1
			if tokens[end].text == "{" and tokens[end - 1].text == ")":
				return end
		if self.is_declaration(i):
			self.initialisers(i, end)
			return end + 1
		if end > i:
			if first != "return" or (in_if and (self.void or not self.is_last(end))):
				self.fault(tokens[i].start, tokens[end].end, "{}")
			self.expression(i, end)
		return end + 1

	def is_last(self, semicolon):
		return semicolon + 1 == self.last

	def is_declaration(self, i):
		a, b = self.tokens[i], self.tokens[i + 1]
		return a.kind == "name" and a.text not in ("return", "goto") and (
			is_type(a) or b.kind == "name" or
			(b.text == "*" and self.tokens[i + 2].kind == "name"))

	def initialisers(self, i, end):
		if self.tokens[i].text in ("static", "_Static_assert"):
			return
		while i < end:
			if self.tokens[i].text != "=":
				i = self.close.get(i, i) + 1
				continue
			start = i = i + 1
			while i < end and self.tokens[i].text != ",":
				i = self.close.get(i, i) + 1
			self.expression(start, i)

	def expression(self, i, end):
		"""Faults within the tokens [i, end)."""
		start = i
		while i < end:
			token = self.tokens[i]
			if token.text in ("sizeof", "_Alignof", "offsetof", "case", "goto"):
				i = self.close.get(i + 1, i + 1) + 1
				continue
			if token.text == "?":
				self.ternary(start, i)
			self.token(i, token)
			i += 1

	def ternary(self, start, i):
		stop = i
		while i > start:
			text = self.tokens[i - 1].text
			if text in ASSIGN or text in ("return", "(", "[", "{", ",", ":", "?"):
				break
			i = self.source.open.get(i - 1, i - 1)
		self.negate(i, stop)

	def token(self, i, token):
		text, after = token.text, self.ends_operand(i - 1)
		if token.kind == "number":
			self.number(token)
		elif token.kind == "name" and self.tokens[i + 1].text == "(":
			others = NAMES.get(text, ())
			self.each(token, others)
		elif token.kind == "op" and text in BINARY and after:
			self.each(token, BINARY[text])
		elif text in EITHER_SIDE:
			self.each(token, EITHER_SIDE[text])
		elif text in ("!", "~"):
			self.each(token, ("",))

	def each(self, token, others):
		for other in others:
			self.fault(token.start, token.end, other)

	def ends_operand(self, i):
		"""Does the token before an operator end a value, so that it has two sides?"""
		token = self.tokens[i]
		if token.kind == "name":
			return token.text != "return"
		if token.text == ")":
			inside = self.source.open[i] + 1
			return not (is_type(self.tokens[inside]) and
				    self.tokens[inside - 2].text != "sizeof")
		return token.kind in ("number", "string") or token.text == "]"

	def number(self, token):
		m = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)", token.text)
		if not m:
			return
		value = int(m.group(1), 0 if m.group(1)[:2] in ("0x", "0X") else 10)
		write = hex if m.group(1)[:2] in ("0x", "0X") else str
		for other in (value + 1, value - 1):
			if other >= 0:
				self.fault(token.start, token.end, write(other) + m.group(2))


def tokens_text(tokens, i):
	return tokens[i].text


class Source:
	"""One file and all its faults."""

	def __init__(self, path, text):
		self.path, self.text, self.faults = path, text, []
		self.tokens = tokens_of(text)
		self.close, self.open = {}, {}
		self.match()
		for first, name in self.bodies():
			Body(self, first, self.close[first], name).find()

	def match(self):
		stack = []
		for i, token in enumerate(self.tokens):
			if token.text in ("(", "[", "{") and token.kind == "op":
				stack.append(i)
			elif token.text in (")", "]", "}") and token.kind == "op":
				start = stack.pop()
				self.close[start], self.open[i] = i, start

	def bodies(self):
		"""Braces in column 0 after a parameter list, and the function's name."""
		for i, token in enumerate(self.tokens):
			if (token.text == "{" and self.text[token.start - 1] == "\n" and
			    self.tokens[i - 1].text == ")"):
				yield i, self.tokens[self.open[i - 1] - 1].text

	def is_void(self, first):
		name = self.open[first - 1] - 1
		return self.tokens[name - 1].text == "void"

	def add(self, function, start, end, text):
		line_start = self.text.rfind("\n", 0, start) + 1
		first_end = self.text.find("\n", start)
		# what follows keeps its line, so that __LINE__ does
		text += "\n" * (self.text.count("\n", start, end) - text.count("\n"))
		last_end = self.text.find("\n", end)
		mutated = self.text[line_start:start] + text.split("\n")[0]
		if "\n" not in text:
			mutated += self.text[end:last_end]
		self.faults.append(Fault(self.path, self.text.count("\n", 0, start) + 1, function,
					 self.text[line_start:first_end].strip(), mutated.strip(),
					 start, end, text))

	def with_fault(self, fault):
		return self.text[:fault.start] + fault.text + self.text[fault.end:]
