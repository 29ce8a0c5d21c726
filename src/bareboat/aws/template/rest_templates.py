"""The request templates (VTL) of `integration: lambda`: a request -> the event that functions get from Serverless."""

from __future__ import annotations

from collections.abc import Sequence

FORM = "application/x-www-form-urlencoded"
_MAPS = {
    "enhancedAuthContext": "$context.authorizer",
    "headers": "$input.params().header",
    "query": "$input.params().querystring",
    "path": "$input.params().path",
    "identity": "$context.identity",
    "stageVariables": "$stageVariables",
}
# escapeJavaScript writes \' for an apostrophe, which JSON does not have
_PLAIN = """.replaceAll("\\\\'", "'")"""


def json_template(claims: Sequence[str] = ()) -> str:
    """Return the template of a JSON body.

    Args:
        claims: of a Cognito token, which `cognitoPoolClaims` gets beside `sub`.
    """
    return _event("$input.json('$')", claims)


def form_template(claims: Sequence[str] = ()) -> str:
    """Return the template of a form's body, which becomes an object of texts."""
    name, value = "$util.urlDecode($parts[0])", "$util.urlDecode($parts[1])"
    return (
        "#set($form = $input.path('$'))\n"
        "#define($fields){#foreach($pair in $form.split('&'))#set($parts = $pair.split('='))"
        "#if($parts.size() >= 1)"
        f"#set($name = $util.escapeJavaScript({name}))#set($value = '')"
        f"#if($parts.size() >= 2)#set($value = $util.escapeJavaScript({value}){_PLAIN})#end"
        '"$name": "$value"#if($foreach.hasNext),#end#end#end}#end\n'
    ) + _event("$fields", claims)


def _event(body: str, claims: Sequence[str]) -> str:
    fields = [
        f'"body": {body}',
        '"method": "$context.httpMethod"',
        '"principalId": "$context.authorizer.principalId"',
        '"stage": "$context.stage"',
        f'"cognitoPoolClaims": {{{", ".join([*map(_claim, claims), _claim("sub")])}}}',
        *(_map(name, source) for name, source in _MAPS.items()),
        '"requestPath": "$context.resourcePath"',
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _claim(name: str) -> str:
    """Return one claim; `custom:team` is called team in the event."""
    if ":" in name:
        return f'"{name.partition(":")[2]}": "$context.authorizer.claims[\'{name}\']"'
    return f'"{name}": "$context.authorizer.claims.{name}"'


def _map(name: str, source: str) -> str:
    return (
        f'"{name}": {{#set($map = {source})#foreach($key in $map.keySet())'
        f"#set($value = $util.escapeJavaScript($map.get($key)){_PLAIN})"
        '"$util.escapeJavaScript($key)": "$value"#if($foreach.hasNext), #end#end}'
    )
