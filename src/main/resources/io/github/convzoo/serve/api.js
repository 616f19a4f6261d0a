'use strict';

function make(tag, text, ...children) {
  const node = document.createElement(tag);
  node.textContent = text;
  node.append(...children);
  return node;
}

function table(rows) {
  return make('table', '', ...rows.map(([name, text]) => {
    const head = make('th', '', make('code', name));
    head.scope = 'row';
    return make('tr', '', head, make('td', text));
  }));
}

function section(path, method, operation) {
  const label = make('span', method.toUpperCase());
  label.className = 'method';
  const node = make('section', '', make('h2', '', label, ' ', make('code', path)), make('p', operation.summary));
  if (operation.description) {
    node.append(make('p', operation.description));
  }
  const parameters = (operation.parameters || []).map(each => [each.name, each.description]);
  if (parameters.length > 0) {
    node.append(make('h3', 'Parameters'), table(parameters));
  }
  const bodies = Object.entries((operation.requestBody || {content: {}}).content);
  if (bodies.length > 0) {
    node.append(make('h3', 'Body'), table(bodies.map(([type, media]) => [type, media.schema.description || ''])));
  }
  const answers = Object.entries(operation.responses).map(([status, response]) => [status, response.description]);
  node.append(make('h3', 'Answers'), table(answers));
  return node;
}

fetch('/openapi.json').then(response => response.json()).then(api => {
  document.getElementById('summary').replaceChildren(
    make('span', api.info.description + ' '), Object.assign(make('a', 'openapi.json'), {href: '/openapi.json'}));
  const sections = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => section(path, method, operation)));
  document.getElementById('paths').replaceChildren(...sections);
});
