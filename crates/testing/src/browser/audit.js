// What a person who cannot see the page, or not well, would stumble over. The body of a function;
// it returns one sentence for each problem. Frames are looked at when they are entered.

const problems = [];
const name = (element) => {
  const id = element.id ? `#${element.id}` : '';
  return `<${element.localName}${id}> ${(element.textContent || '').trim().slice(0, 40)}`;
};
const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true });
const hiddenFromAll = (element) => element.closest('[aria-hidden="true"], [inert]') !== null;

if (!document.documentElement.lang) problems.push('the page has no language');
if (!document.title.trim()) problems.push('the page has no title');

const ids = new Set();
for (const element of document.querySelectorAll('[id]')) {
  if (ids.has(element.id)) problems.push(`the id ${element.id} is there twice`);
  ids.add(element.id);
}

for (const image of document.querySelectorAll('img')) {
  if (!image.hasAttribute('alt')) problems.push(`an image without alt: ${image.src}`);
}

for (const frame of document.querySelectorAll('iframe')) {
  if (shown(frame) && !hiddenFromAll(frame) && !frame.title) problems.push(`a frame without title: ${name(frame)}`);
}

const labelled = (element) => {
  if (element.getAttribute('aria-label') || element.title) return true;
  const by = (element.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean);
  if (by.some((id) => document.getElementById(id)?.textContent.trim())) return true;
  return Array.from(element.labels || []).some((label) => label.textContent.trim());
};
for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
  if (shown(field) && !hiddenFromAll(field) && !labelled(field)) problems.push(`a field without label: ${field.name || name(field)}`);
}
for (const control of document.querySelectorAll('button, a[href], summary')) {
  if (!shown(control) || hiddenFromAll(control)) continue;
  const text = control.textContent.trim() || Array.from(control.querySelectorAll('img')).map((image) => image.alt).join('');
  if (!text && !labelled(control)) problems.push(`a control without a name: ${control.outerHTML.slice(0, 80)}`);
}
for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby], [aria-controls]')) {
  for (const attribute of ['aria-describedby', 'aria-labelledby', 'aria-controls']) {
    for (const id of (element.getAttribute(attribute) || '').split(/\s+/).filter(Boolean)) {
      if (!document.getElementById(id)) problems.push(`${name(element)}: ${attribute} names ${id}, which is not there`);
    }
  }
}

// Contrast, where colours are plain: text over pictures and gradients is left to the eye.
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 1;
const pen = canvas.getContext('2d', { willReadFrequently: true });
const over = (colours) => {
  pen.clearRect(0, 0, 1, 1);
  for (const colour of colours) {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
  }
  return Array.from(pen.getImageData(0, 0, 1, 1).data);
};
const light = (colour) => {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const seen = new Set();
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || seen.has(element)) continue;
  seen.add(element);
  const box = element.getBoundingClientRect();
  if (!shown(element) || box.width < 2 || box.height < 2) continue;
  if (element.closest('[disabled], [aria-disabled="true"], .unavailable, option, script, style, template')) continue;
  const layers = [];
  let plain = true;
  for (let at = element; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.backgroundImage !== 'none' || Number(style.opacity) < 1) plain = false;
    layers.unshift(style.backgroundColor);
  }
  if (!plain) continue;
  const style = getComputedStyle(element);
  const canvasColour = style.colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#ffffff';
  const behind = over([canvasColour, ...layers]);
  const front = over([canvasColour, ...layers, style.color]);
  const [high, low] = [light(behind), light(front)].sort((one, other) => other - one);
  const ratio = (high + 0.05) / (low + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) {
    problems.push(`contrast of ${ratio.toFixed(2)} at ${name(element)}: ${style.color} on rgb(${behind.slice(0, 3)})`);
  }
}
return problems;
