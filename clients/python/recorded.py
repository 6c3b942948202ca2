"""The official client, with a record of what was called and of what its models did not read."""

import inspect
import typing

import httpx
import pydantic
from paid import Paid

# Properties of the API that this client's models do not name yet; others of its clients do.
NEWER = {
    "CustomerUnitCap": {"changed", "schedule"},
    "ValueModelContentValueTypesItem": {"unit", "monetaryConversion"},
}


class Failures:
    """What went wrong, one line each."""

    def __init__(self):
        self.lines = []

    def add(self, line):
        self.lines.append(line)
        print(f"FAILED {line}")


class Recorded:
    """Resources of a client whose methods are recorded: `recorded.orders.create_order(...)`."""

    def __init__(self, client: Paid, failures: Failures):
        self._failures = failures
        self._called = set()
        self._methods = {}
        for resource, names in resources_of(client).items():
            self._methods[resource] = names
            setattr(self, resource, Resource(self, resource, getattr(client, resource)))

    def names(self):
        return {f"{resource}.{name}" for resource, names in self._methods.items() for name in names}

    def never_called(self):
        return sorted(self.names() - self._called)

    def call(self, name, method, arguments, options):
        try:
            answer = method(*arguments, **options, request_options={"max_retries": 0})
        except Exception as error:  # every failure of a client counts: statuses, and answers it cannot read
            self._called.add(name)
            self._failures.add(f"{name}: {described(error)}")
            raise Stopped from error
        unread = list(unread_in(answer))
        for each in unread:
            self._failures.add(f"{name}: {each}")
        if name not in self._called and not unread:
            print(f"ok     {name}")
        self._called.add(name)
        return answer


class Resource:
    def __init__(self, recorded, name, resource):
        self._recorded, self._name, self._resource = recorded, name, resource

    def __getattr__(self, method):
        name = f"{self._name}.{method}"
        found = getattr(self._resource, method)
        return lambda *arguments, **options: self._recorded.call(name, found, arguments, options)


class Stopped(Exception):
    """A part of the script cannot go on; what failed is in the record."""


def resources_of(client):
    """The methods of every resource that a client has."""
    found = {}
    for name, member in inspect.getmembers(type(client), lambda member: isinstance(member, property)):
        resource = getattr(client, name)
        methods = inspect.getmembers(resource, inspect.ismethod)
        found[name] = [method for method, _ in methods if not method.startswith("_")]
    return found


def described(error):
    body = getattr(error, "body", None)
    if body is None:
        return f"{type(error).__name__}: {error}"
    shown = body.dict() if isinstance(body, pydantic.BaseModel) else body
    return f"{error.status_code} {shown}"


def unread_in(answer, place="answer"):
    """Properties that a client's models do not name, and values of no known case."""
    if isinstance(answer, list):
        for at, each in enumerate(answer):
            yield from unread_in(each, f"{place}[{at}]")
    if not isinstance(answer, pydantic.BaseModel):
        return
    for name in answer.model_extra or {}:
        if not is_newer(type(answer).__name__, name):
            yield f"{place}.{name} is no property of {type(answer).__name__}"
    for name, field in type(answer).model_fields.items():
        value = getattr(answer, name)
        cases = cases_of(field.annotation)
        if cases and isinstance(value, str) and value not in cases:
            yield f"{place}.{name} is {value!r}, not one of {cases}"
        yield from unread_in(value, f"{place}.{name}")


def is_newer(model, name):
    return any(model.startswith(prefix) and name in names for prefix, names in NEWER.items())


def cases_of(annotation):
    """The values of an enumeration, which the client declares as `Union[Literal[...], Any]`."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Union else [annotation]
    if any(part is str for part in parts):
        return []
    return [case for part in parts if typing.get_origin(part) is typing.Literal for case in typing.get_args(part)]


class Control:
    """What a test makes happen in the emulator."""

    def __init__(self, base_url):
        address = base_url.removesuffix("/api/v2")
        self.collector = f"{address}/v1/traces"
        self._http = httpx.Client(base_url=f"{address}/__emulator", headers={"authorization": "Bearer paid_emulator"})

    def post(self, path, **body):
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def days_pass(self, days):
        return self.post("/clock", advanceDays=days)

    def now(self):
        return self._http.get("/clock").json()["now"]
