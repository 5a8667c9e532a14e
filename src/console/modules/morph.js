// Makes an element look like another with as few changes as there are, so that focus, open menus, selections and the
// transitions of bars survive. Children with an id are known again by it, others by their place and kind.

/** Makes `from`, in the page, equal to `to`, which is used up. */
export function morph(from, to) {
  if (!isAlike(from, to)) {
    from.replaceWith(to);
  } else if (from.nodeType === Node.ELEMENT_NODE) {
    // What somebody is writing is theirs.
    if (from.hasAttribute("data-kept")) return;
    morphAttributes(from, to);
    morphChildren(from, to);
    morphValue(from);
  } else if (from.nodeValue !== to.nodeValue) {
    from.nodeValue = to.nodeValue;
  }
}

function isAlike(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");
}

function morphAttributes(from, to) {
  for (const { name, value } of [...to.attributes]) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  for (const { name } of [...from.attributes]) {
    // Whether it is open, its user has decided.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
}

// A field that somebody has used no longer shows what its attributes say.
function morphValue(field) {
  if (field instanceof HTMLInputElement) {
    field.checked = field.defaultChecked;
    if (field.value !== field.defaultValue) field.value = field.defaultValue;
  } else if (field instanceof HTMLTextAreaElement) {
    if (field.value !== field.defaultValue) field.value = field.defaultValue;
  } else if (field instanceof HTMLOptionElement) {
    if (field.selected !== field.defaultSelected) field.selected = field.defaultSelected;
  }
}

function morphChildren(from, to) {
  const known = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wanted = new Set([...to.children].map((child) => child.id).filter(Boolean));
  let next = from.firstChild;
  for (const child of [...to.childNodes]) {
    // What is known by an id and wanted later waits for its turn.
    while (next?.id && next.id !== child.id && !wanted.has(next.id)) next = remove(next);
    const match = (child.id && known.get(child.id)) || (next && !next.id && isAlike(next, child) ? next : null);
    if (!match) {
      from.insertBefore(child, next);
    } else if (match === next) {
      next = next.nextSibling;
      morph(match, child);
    } else {
      from.insertBefore(match, next);
      morph(match, child);
    }
  }
  while (next) next = remove(next);
}

function remove(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
