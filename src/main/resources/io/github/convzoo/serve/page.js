'use strict';

/** Requests at a time; the server has a queue, but others use it too. */
const CONCURRENT = 4;

/** Smaller images are enlarged with sharp pixels. */
const SMALL = 100;

const element = id => document.getElementById(id);
const waiting = [];
let running = 0;
let cards = [];
let key = '';

function headers(more) {
  return key ? {...more, 'X-Api-Key': key} : more;
}

/** The answer of the server, or an error with its message. */
async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, {...options, headers: headers(options.headers || {})});
  } catch (e) {
    throw new Error('The server cannot be reached; is it still running?');
  }
  if (response.ok) {
    return response;
  }
  if (response.status === 401) {
    element('key-form').hidden = false;
    element('key').focus();
  }
  let message = `The server answered ${response.status}.`;
  try {
    message = (await response.json()).error || message;
  } catch (e) {
    // Not from this server, but from a proxy.
  }
  throw new Error(message);
}

function say(text) {
  element('status').textContent = text;
}

async function start() {
  try {
    cards = await (await answer('/models', {})).json();
  } catch (e) {
    say(e.message);
    return;
  }
  element('key-form').hidden = true;
  const select = element('model');
  select.replaceChildren(...cards.map(card => new Option(card.name, card.name)));
  element('model-row').hidden = cards.length < 2;
  showCard();
  say('');
}

function chosen() {
  return cards.find(card => card.name === element('model').value) || cards[0];
}

function showCard() {
  const card = chosen();
  const [channels, height, width] = card.input;
  const rows = [
    ['Name', card.name],
    ['Network', card.network],
    ['Classes', card.classes.toLocaleString('en')],
    ['Input', `${width} × ${height}, ${channels === 1 ? 'gray' : 'RGB'}`],
    ['License', card.license || 'unknown'],
    ['Runtime', `${card.runtime}, ${card.device}`],
  ];
  element('card').replaceChildren(...rows.flatMap(([name, value]) => {
    const term = document.createElement('dt');
    term.textContent = name;
    const text = document.createElement('dd');
    text.textContent = value;
    return [term, text];
  }));
  element('model-card').hidden = false;
}

function add(files) {
  for (const file of files) {
    waiting.push(makeResult(file));
  }
  work();
}

function work() {
  while (running < CONCURRENT && waiting.length > 0) {
    running++;
    const result = waiting.shift();
    classify(result).finally(() => {
      running--;
      work();
    });
  }
  const left = running + waiting.length;
  if (left > 0) {
    say(left === 1 ? 'Classifying 1 image …' : `Classifying ${left} images …`);
  }
}

function makeResult(file) {
  const node = element('result').content.cloneNode(true).firstElementChild;
  const picture = node.querySelector('.picture');
  picture.alt = file.name;
  picture.addEventListener('load', () => picture.classList.toggle('small', picture.naturalWidth < SMALL));
  // A format that the server reads and the browser does not, such as TIFF.
  picture.addEventListener('error', () => picture.hidden = true);
  picture.src = URL.createObjectURL(file);
  node.querySelector('h3').textContent = file.name;
  node.querySelector('.explain').addEventListener('click', () => toggle(result, result.best));
  element('results').prepend(node);
  const result = {file, node, model: '', best: '', shown: null, explanations: new Map()};
  return result;
}

function fail(result, message) {
  const error = result.node.querySelector('.error');
  error.textContent = message;
  error.hidden = false;
}

function body(file) {
  return {method: 'POST', body: file, headers: {'Content-Type': file.type || 'application/octet-stream'}};
}

async function classify(result) {
  result.model = (chosen() || {name: ''}).name;
  const started = performance.now();
  try {
    const response = await answer(`/predictions/${result.model}`, body(result.file));
    const classes = await response.json();
    const total = performance.now() - started;
    result.best = classes[0].className;
    showClasses(result, classes);
    result.node.querySelector('.timing').textContent = timing(response.headers.get('Server-Timing'), total);
    say(`${result.file.name}: ${result.best}, ${percent(classes[0].probability)}`);
  } catch (e) {
    fail(result, e.message);
    say(`${result.file.name}: ${e.message}`);
  }
}

function percent(probability) {
  return `${(100 * probability).toFixed(2)} %`;
}

function timing(header, total) {
  const parts = Object.fromEntries([...(header || '').matchAll(/(\w+);dur=([\d.]+)/g)].map(m => [m[1], m[2]]));
  const inside = parts.compute ? ` (computed in ${parts.compute} ms, waited ${parts.queue} ms)` : '';
  return `${total.toFixed(0)} ms${inside}`;
}

function showClasses(result, classes) {
  const list = result.node.querySelector('.classes');
  list.replaceChildren(...classes.map(each => {
    const item = element('class').content.cloneNode(true).firstElementChild;
    const button = item.querySelector('button');
    button.dataset.name = each.className;
    button.title = `Show where the image has evidence for ${each.className}`;
    item.querySelector('.name').textContent = each.className;
    item.querySelector('.percent').textContent = percent(each.probability);
    item.querySelector('.bar').style.setProperty('--share', `${100 * each.probability}%`);
    button.addEventListener('click', () => toggle(result, each.className));
    return item;
  }));
  list.hidden = false;
  result.node.querySelector('.actions').hidden = false;
}

/** Shows the explanation of a class, or the image again. */
async function toggle(result, name) {
  if (result.shown === name) {
    show(result, null);
    return;
  }
  try {
    if (!result.explanations.has(name)) {
      say(`Explaining ${name} …`);
      const path = `/explanations/${result.model}?class=${encodeURIComponent(name)}`;
      const request = body(result.file);
      request.headers.Accept = 'image/png';
      const picture = await (await answer(path, request)).blob();
      result.explanations.set(name, URL.createObjectURL(picture));
    }
    result.node.querySelector('.error').hidden = true;
    show(result, name);
    say(`The image shows where it has evidence for ${name}.`);
  } catch (e) {
    fail(result, e.message);
    say(e.message);
  }
}

function show(result, name) {
  result.shown = name;
  const explanation = result.node.querySelector('.explanation');
  explanation.hidden = name === null;
  result.node.querySelector('.picture').hidden = name !== null;
  if (name !== null) {
    explanation.src = result.explanations.get(name);
    explanation.alt = `${result.file.name}, with the evidence for ${name}`;
  }
  result.node.querySelector('.explain').setAttribute('aria-pressed', String(name !== null));
  for (const button of result.node.querySelectorAll('.class')) {
    button.setAttribute('aria-pressed', String(button.dataset.name === name));
  }
}

element('model').addEventListener('change', showCard);

element('files').addEventListener('change', event => {
  add(event.target.files);
  event.target.value = '';
});

element('key-form').addEventListener('submit', event => {
  event.preventDefault();
  key = element('key').value;
  start();
});

document.addEventListener('paste', event => {
  if (event.clipboardData.files.length > 0) {
    event.preventDefault();
    add(event.clipboardData.files);
  }
});

// Anywhere on the page: a missed drop would leave the page for the image.
document.addEventListener('dragover', event => {
  event.preventDefault();
  element('drop').classList.add('over');
});

document.addEventListener('dragleave', event => {
  if (event.relatedTarget === null) {
    element('drop').classList.remove('over');
  }
});

document.addEventListener('drop', event => {
  event.preventDefault();
  element('drop').classList.remove('over');
  if (event.dataTransfer.files.length > 0) {
    add(event.dataTransfer.files);
  } else {
    say('Drop image files; an image of another page has to be saved first.');
  }
});

start();
