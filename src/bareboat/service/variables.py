"""A tree with variables -> the same tree without them."""

from __future__ import annotations

from typing import Any

from bareboat.errors import ConfigurationError
from bareboat.service.nodes import MAX_DEPTH, MAX_VALUES, Node, to_node
from bareboat.service.problems import Problems, nearest
from bareboat.service.scalars import js_text
from bareboat.service.sources import AWS_SOURCES, KNOWN_SOURCES, Awaited, Found, Missing, RefusedError, Sources
from bareboat.service.syntax import Literal, Lookup, Parts, Variable, VariableSyntaxError, parse

_MAX_TEXT = 1_000_000
_SECRETIVE = frozenset({"ssm", "s3"})
_DEFAULTS = {"provider.stage": "dev", "provider.region": "us-east-1"}


class Resolver:
    """Resolves lazily and once: each node when it is first needed, circles named, AWS asked only through resolvers.

    Args:
        root: serverless.yml as parsed.
        sources: everything outside it.
        problems: where what cannot be resolved is noted.
    """

    def __init__(self, root: Node, sources: Sources, problems: Problems) -> None:
        self.root = root
        self.sources = sources
        self.problems = problems
        self.awaited = Awaited()
        self._done: dict[int, Node] = {}
        self._whole: dict[int, Node] = {}
        self._sizes: dict[int, int] = {}
        self._kept: list[Node] = []  # memo keys are ids, so the nodes must live on
        self._stack: list[tuple[int, str]] = []
        self._depth = 0

    def resolve(self, node: Node, path: str) -> Node:
        """Return a node with every variable in it resolved, children included."""
        if id(node) in self._whole:
            return self._whole[id(node)]
        self._depth += 1
        if self._depth > 2 * MAX_DEPTH:
            raise ConfigurationError(f"{path} is nested too deep", where=str(node.place))
        done = self.shallow(node, path)
        size = 1
        if isinstance(done.value, dict):
            children = {key: self.resolve(child, f"{path}.{key}" if path else key) for key, child in done.value.items()}
            size += sum(self._sizes[id(child)] for child in children.values())
            done = self._copy(done, children)
        elif isinstance(done.value, list):
            items = [self.resolve(child, f"{path}[{index}]") for index, child in enumerate(done.value)]
            size += sum(self._sizes[id(child)] for child in items)
            done = self._copy(done, items)
        if size > MAX_VALUES:
            raise ConfigurationError(f"{path} comes to more than {MAX_VALUES:,} values", where=str(node.place))
        self._depth -= 1
        self._kept += (node, done)
        self._whole[id(node)] = self._whole[id(done)] = done
        self._sizes[id(done)] = size
        return done

    def shallow(self, node: Node, path: str) -> Node:
        """Return a node whose own value is resolved; the children of a mapping or a list may still hold variables."""
        if not isinstance(node.value, str) or node.state or "${" not in node.value:
            return node
        if id(node) in self._done:
            return self._done[id(node)]
        if any(id(node) == waiting for waiting, _ in self._stack):
            return self._circle(node, path)
        self._stack.append((id(node), path))
        try:
            parts = parse(node.value)
            done = node if parts is None else self._evaluate(parts, node, path)
        except VariableSyntaxError as error:
            self.problems.add(node.place, f"{path}: {error}", expected=error.expected, fix=error.fix)
            done = _broken(node)
        except RefusedError as error:
            self.problems.add(node.place, f"{path}: {error}", expected=error.expected, fix=error.fix)
            done = _broken(node)
        finally:
            self._stack.pop()
        self._kept += (node, done)
        self._done[id(node)] = done
        if isinstance(done.value, str):
            self._done[id(done)] = done  # `${` in it is text now
        return done

    def find(self, address: str) -> Node | Missing:
        """Return the node at a dotted path of serverless.yml; `provider.stage` and `.region` have defaults."""
        found = self._walk(self.root, address, "", "self")
        if isinstance(found, Missing) and address in _DEFAULTS:
            return Node(_DEFAULTS[address], self.root.place, origin="default")
        return found

    def stage(self) -> str:
        """Return the effective stage: the flag, `provider.stage`, or dev."""
        return self._setting("stage")

    def _setting(self, name: str) -> str:
        if name in self.sources.options:
            return self.sources.options[name]
        found = self.find(f"provider.{name}")
        if isinstance(found, Missing) or found.state or not isinstance(found.value, (str, int, float)):
            return _DEFAULTS[f"provider.{name}"]
        return js_text(found.value)

    def _copy(self, node: Node, value: Any) -> Node:
        copy = Node(value, node.place, keys=node.keys, via=node.via, origin=node.origin)
        copy.secret = node.secret
        return copy

    def _circle(self, node: Node, path: str) -> Node:
        start = next(index for index, (waiting, _) in enumerate(self._stack) if waiting == id(node))
        names = [name for _, name in self._stack[start:]]
        self.problems.add(
            node.place,
            f"{names[0]} depends on itself: " + " -> ".join([*names, path if path != names[-1] else names[0]]),
            expected="variables without a circle",
        )
        return _broken(node)

    def _evaluate(self, parts: Parts, node: Node, path: str) -> Node:
        if len(parts) == 1 and isinstance(parts[0], Variable):
            result = self._variable(parts[0], node, path)
            text = "" if result.state else result.text
            done = Node(
                result.value, node.place, keys=result.keys, text=text, via=node.value, origin=result.origin, state=""
            )
            done.state, done.secret = result.state, result.secret
            return done
        text, state, secret = self._join(parts, node, path)
        done = Node(text, node.place, via=node.value, state=state)
        done.secret = secret
        return done

    def _join(self, parts: Parts, node: Node, path: str) -> tuple[str, Any, bool]:
        """Return the text, the state and whether a secret is in it."""
        text, state, secret = "", "", False
        for part in parts:
            if isinstance(part, str):
                text += part
                continue
            result = self._variable(part, node, path)
            secret = secret or result.secret
            if result.state:
                state = "broken" if "broken" in (state, result.state) else "pending"
                text += part.text if result.state == "broken" else str(result.value)
            elif result.value is None or isinstance(result.value, (dict, list)):
                kind = "null" if result.value is None else "a mapping" if isinstance(result.value, dict) else "a list"
                self.problems.add(node.place, f"{path}: {part.text} is {kind} within text", expected="text or a number")
                state = "broken"
            else:
                text += js_text(result.value)
        if len(text) > _MAX_TEXT:
            raise RefusedError(f"the text grows past {_MAX_TEXT:,} characters")
        return text, state, secret

    def _variable(self, variable: Variable, node: Node, path: str) -> Node:
        """Try the sources in order."""
        tried: list[Missing] = []
        waiting: Node | None = None
        for choice in variable.choices:
            if isinstance(choice, Literal):
                found: Node | Missing = Node(choice.value, node.place)
            else:
                found = self._look_up(choice, node, path)
            if isinstance(found, Missing):
                tried.append(found)
            elif found.state == "pending":
                waiting = waiting or found
            else:
                if waiting is not None and not found.state:
                    self.awaited.assumed.setdefault(variable.text, (node.place, found))
                return found
        if waiting is not None:
            self.awaited.kept.setdefault(str(waiting.value), node.place)
            return waiting
        self.problems.add(
            node.place,
            f"{path}: {variable.text} has no value",
            expected="a value; tried " + "; ".join(missing.tried for missing in tried),
            fix=" or ".join([*(missing.fix for missing in tried if missing.fix), "give a default: ${..., 'value'}"]),
        )
        return Node(variable.text, node.place, state="broken")

    def _look_up(self, lookup: Lookup, node: Node, path: str) -> Node | Missing:
        texts: list[str] = []
        state = ""
        for parts in (*(lookup.params or ()), *((lookup.address,) if lookup.address is not None else ())):
            text, inner, _ = self._join(parts, node, path)
            texts.append(text)
            state = "broken" if "broken" in (state, inner) else state or inner
        if state:
            return Node(f"${{{lookup.text}}}", node.place, state="broken" if state == "broken" else "pending")
        address = texts.pop() if lookup.address is not None else ""
        source, _, region = lookup.source.partition(".")  # `cf.us-east-1:` is the older way to name a region
        if source in ("self", "file"):
            return self._tree(source, address, texts)
        return self._ask(source, address, [*texts, *([region] if region else [])], node)

    def _tree(self, source: str, address: str, params: list[str]) -> Node | Missing:
        if source == "self":
            found = self.find(address)
            return found if isinstance(found, Missing) else self.resolve(found, address)
        if not params or not params[0]:
            raise RefusedError("file() names no file", expected="file(path) or file(path):key")
        content = self.sources.file(params[0])
        if isinstance(content, Missing):
            return content
        found = self._walk(content, address, "", f"file({params[0]})")
        return (
            found if isinstance(found, Missing) else self.resolve(found, f"file({params[0]}){address and ':'}{address}")
        )

    def _walk(self, node: Node, address: str, path: str, source: str) -> Node | Missing:
        for key in address.split(".") if address else ():
            node = self.shallow(node, path)
            if node.state:
                return node
            children = node.value
            if isinstance(children, list) and key.isascii() and key.isdigit() and int(key) < len(children):
                child = children[int(key)]
            elif isinstance(children, dict) and key in children:
                child = children[key]
            else:
                return self._absent(node, key, address, path, source)
            path = f"{path}.{key}" if path else key
            node = child
        node = self.shallow(node, path)
        if node.value is None and not node.state:
            return Missing(f"{source}:{address}: it is null")
        return node

    def _absent(self, node: Node, key: str, address: str, path: str, source: str) -> Missing:
        names = list(node.value) if isinstance(node.value, dict) else []
        near = nearest(key, names)
        what = f"'{path}' has no '{key}'" if path else f"there is no '{key}'"
        return Missing(f"{source}:{address}: {what}", f"rename '{key}' to '{near}'" if near else "")

    def _ask(self, source: str, address: str, params: list[str], node: Node) -> Node | Missing:
        if source not in KNOWN_SOURCES:
            raise _unknown_source(source)
        if source == "strToBool":
            return Node(_to_bool(params), node.place)
        if not address:
            raise RefusedError(f"'{source}:' names nothing", expected=f"{source}:NAME")
        found = self._simple(source, address, params)
        if found is None:
            shown = f"({', '.join(params)})" if params else ""
            return Node(f"${{{source}{shown}:{address}}}", node.place, state="pending")
        if isinstance(found, Found):
            value = to_node(found.value, node.place)
            value.origin = found.origin
            self._from_outside(value, secret=source in _SECRETIVE)
            return value
        return found

    def _from_outside(self, node: Node, *, secret: bool) -> None:
        """Note that `${` in what came from outside is text, also within a secret's JSON or a list."""
        node.secret = secret
        if isinstance(node.value, str):
            self._done[id(node)] = node
            self._kept.append(node)
        elif isinstance(node.value, (list, dict)):
            for child in node.value.values() if isinstance(node.value, dict) else node.value:
                self._from_outside(child, secret=secret)

    def _simple(self, source: str, address: str, params: list[str]) -> Found | Node | Missing | None:
        sources = self.sources
        if source == "opt":
            return sources.opt(address)
        if source == "env":
            return sources.env(address)
        if source == "git":
            return sources.git(address)
        if source == "param":
            return self._param(address)
        if source == "sls":
            if address == "instanceId":
                return sources.instance_id()
            return self._named(source, address, "stage")
        if (source, address) == ("aws", "region"):
            return self._named(source, address, "region")
        if source == "aws" and address != "accountId":
            raise RefusedError(f"aws:{address} is unknown", expected="aws:accountId or aws:region")
        assert source in AWS_SOURCES
        return sources.from_aws(source, address, params)

    def _named(self, source: str, address: str, name: str) -> Found:
        if address != name:
            known = "stage or instanceId" if source == "sls" else name
            raise RefusedError(f"{source}:{address} is unknown", expected=f"{source}:{known}")
        return Found(self._setting(name), self.sources.origins.get(name, ""))

    def _param(self, name: str) -> Found | Node | Missing:
        """Return a parameter: --param, then `params` of the stage, then `params.default`."""
        if name in self.sources.params:
            return Found(self.sources.params[name], "--param")
        stage = self.stage()
        for group in (stage, "default"):
            found = self._walk(self.root, f"params.{group}", "", "self")
            if isinstance(found, Node) and isinstance(found.value, dict) and name in found.value:
                value = self.resolve(found.value[name], f"params.{group}.{name}")
                if value.value is not None:
                    return value
        return Missing(f"param:{name}: not in --param, params.{stage} or params.default", f"pass --param {name}=VALUE")


def _broken(node: Node) -> Node:
    return Node(node.value, node.place, state="broken")


def _unknown_source(source: str) -> RefusedError:
    near = nearest(source, KNOWN_SOURCES)
    return RefusedError(
        f"unknown variable source '{source}'",
        expected="one of " + ", ".join(KNOWN_SOURCES),
        fix=f"rename it to '{near}'" if near else "",
    )


def _to_bool(params: list[str]) -> bool:
    text = params[0].strip().lower() if params else ""
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise RefusedError(f"strToBool({text})", expected="true, false, 1 or 0")
