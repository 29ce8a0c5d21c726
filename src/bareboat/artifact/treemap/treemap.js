"use strict";
// A node is [name, bytes unzipped, bytes zipped, kind of a file | nodes of a folder].
const KINDS = {native: "native library", python: "Python source", bytecode: "bytecode", data: "file", left: "left out"};
const HEAD = 16, LEAST = 3;

const mb = (bytes) => bytes >= 1e5 ? (bytes / 1e6).toFixed(1) + " MB" : (bytes / 1e3).toFixed(1) + " kB";
const isFolder = (node) => Array.isArray(node[3]);
const isLeft = (node) => node[3] === "left" || node[0] === "left out" && isFolder(node);

// Bruls, Huizing, van Wijk (2000), "Squarified Treemaps": rows along the shorter side, as square as can be.
function squarify(nodes, x, y, w, h) {
  const placed = [];
  let rest = nodes.filter((node) => node[1] > 0);
  let total = rest.reduce((sum, node) => sum + node[1], 0);
  while (rest.length && total > 0 && w > 0 && h > 0) {
    const side = Math.min(w, h), scale = w * h / total;
    let count = 0, sum = 0, worst = Infinity;
    while (count < rest.length) {
      const more = sum + rest[count][1], depth = more * scale / side;
      const largest = rest[0][1] * scale / depth, smallest = rest[count][1] * scale / depth;
      const ratio = Math.max(depth / smallest, largest / depth, smallest / depth, depth / largest);
      if (ratio > worst) break;
      worst = ratio; sum = more; count += 1;
    }
    const depth = sum * scale / side;
    let at = 0;
    for (const node of rest.slice(0, count)) {
      const length = node[1] * scale / depth;
      placed.push(w >= h ? [node, x, y + at, depth, length] : [node, x + at, y, length, depth]);
      at += length;
    }
    if (w >= h) { x += depth; w -= depth; } else { y += depth; h -= depth; }
    rest = rest.slice(count); total -= sum;
  }
  return placed;
}

function drawn(section) {
  const root = JSON.parse(section.querySelector("script").textContent);
  const map = section.querySelector(".map"), path = section.querySelector(".path");
  const told = section.querySelector(".told"), withLeft = section.querySelector("input.left");
  const shipped = root[1];
  let trail = [root];

  const entries = (node) => withLeft.checked ? node[3] : node[3].filter((one) => !isLeft(one));
  const weighed = (node) => !isFolder(node) ? node :
    (() => { const inner = entries(node).map(weighed).sort((a, b) => b[1] - a[1]);
             return [node[0], inner.reduce((sum, one) => sum + one[1], 0), node[2], inner, node]; })();

  function describe(node, where) {
    const real = node[4] || node, size = real[1];
    if (isLeft(real)) return `${where}: ${mb(size)} left out`;
    const kind = isFolder(real) ? `${real[3].length} ${real[3].length === 1 ? "entry" : "entries"}` : KINDS[real[3]];
    return `${where}: ${mb(size)} unzipped, ${mb(real[2])} zipped, ${(100 * size / shipped).toFixed(1)} % of what ships (${kind})`;
  }

  function draw(focused) {
    const width = map.clientWidth, height = map.clientHeight;
    map.replaceChildren();
    const start = weighed(trail[trail.length - 1]);
    place(start, 0, 0, width, height, 1, trail.slice(1).map((one) => one[0]), null);
    const first = [...map.children].find((tile) => focused && tile.where === focused) || map.firstElementChild;
    if (first) { first.tabIndex = 0; if (focused) first.focus(); }
    path.replaceChildren(...trail.flatMap((node, depth) => {
      const name = depth ? node[0] : "everything";
      if (depth === trail.length - 1) return [name];
      const button = document.createElement("button");
      button.textContent = name;
      button.onclick = () => { trail = trail.slice(0, depth + 1); draw(""); };
      return [button, " / "];
    }));
  }

  function place(node, x, y, w, h, level, names, parent) {
    for (const [child, left, top, wide, high] of squarify(node[3], x, y, w, h)) {
      if (wide < LEAST || high < LEAST) continue;
      const tile = document.createElement("div"), folder = isFolder(child), real = child[4] || child;
      const where = [...names, child[0]].join("/").replaceAll("//", "/");
      tile.className = isLeft(real) ? "left" : folder ? "folder" : child[3];
      tile.style.cssText = `left:${left}px;top:${top}px;width:${wide}px;height:${high}px`;
      tile.tabIndex = -1;
      tile.node = real; tile.where = where; tile.up = parent;
      tile.setAttribute("role", "treeitem");
      tile.setAttribute("aria-level", level);
      tile.setAttribute("aria-label", describe(child, where));
      tile.title = describe(child, where);
      if (wide > 28 && high > 14) {
        const label = document.createElement("span");
        label.textContent = child[0];
        tile.append(label);
      }
      map.append(tile);
      if (folder && wide > 24 && high > HEAD + 10) {
        tile.setAttribute("aria-expanded", "true");
        place(child, left + 2, top + HEAD, wide - 4, high - HEAD - 2, level + 1, [...names, child[0]], tile);
      }
    }
  }

  function enter(tile) {
    const steps = [];
    for (let one = tile; one; one = one.up) steps.unshift(one.node);
    if (!isFolder(tile.node)) steps.pop();
    if (!steps.length) return;
    trail = [...trail, ...steps];
    draw("");
  }

  function out() {
    if (trail.length > 1) { trail = trail.slice(0, -1); draw(""); }
  }

  map.addEventListener("mouseover", (event) => {
    const tile = event.target.closest("[role=treeitem]");
    if (tile) told.textContent = tile.title;
  });
  map.addEventListener("focusin", (event) => { told.textContent = event.target.title || ""; });
  map.addEventListener("click", (event) => {
    const tile = event.target.closest("[role=treeitem]");
    if (tile) { enter(tile); (map.firstElementChild || map).focus(); }
  });
  map.addEventListener("keydown", (event) => {
    const tile = event.target.closest("[role=treeitem]");
    const tiles = [...map.children];
    const beside = tile && tiles.filter((one) => one.up === tile.up), at = tile && beside.indexOf(tile);
    const next = tile && {
      ArrowRight: () => beside[at + 1], ArrowLeft: () => beside[at - 1], ArrowUp: () => tile.up,
      ArrowDown: () => tiles.find((one) => one.up === tile), Home: () => beside[0], End: () => beside[beside.length - 1],
    }[event.key];
    if (next) {
      event.preventDefault();
      const other = next();
      if (other) { tile.tabIndex = -1; other.tabIndex = 0; other.focus(); }
    } else if (event.key === "Enter" && tile) {
      enter(tile); (map.firstElementChild || map).focus();
    } else if (event.key === "Escape" || event.key === "Backspace") {
      event.preventDefault(); out(); (map.firstElementChild || map).focus();
    }
  });
  withLeft.addEventListener("change", () => draw(""));
  new ResizeObserver(() => draw("")).observe(map);
  draw("");
}

document.querySelectorAll("section").forEach(drawn);
