// Writes the bench's picture with ag-psd. Usage: node psd_write_ag.cjs FOLDER WIDTH HEIGHT; prints seconds.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { writePsdUint8Array } = require("ag-psd");

const folder = process.argv[2];
const [width, height] = process.argv.slice(3).map(Number);
const rgb = fs.readFileSync(path.join(folder, "rgb.raw"));
const alpha = fs.readFileSync(path.join(folder, "alpha.raw"));
const begin = process.hrtime.bigint();

function picture(fill) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0, n = width * height; i < n; i++) fill(data, i, i * 4);
  return { width, height, data };
}

const photo = picture((data, i, at) => {
  data[at] = rgb[i * 3]; data[at + 1] = rgb[i * 3 + 1]; data[at + 2] = rgb[i * 3 + 2]; data[at + 3] = 255;
});
const mask = picture((data, i, at) => {
  data[at] = data[at + 1] = data[at + 2] = alpha[i]; data[at + 3] = 255;
});
const paper = picture((data, i, at) => { data[at] = data[at + 1] = data[at + 2] = data[at + 3] = 255; });
const merged = picture((data, i, at) => {
  for (let c = 0; c < 3; c++) data[at + c] = 255 + ((rgb[i * 3 + c] - 255) * alpha[i]) / 255;
  data[at + 3] = 255;
});
const bytes = writePsdUint8Array({
  width, height, imageData: merged,
  children: [
    { name: "Background", imageData: paper },
    { name: "Subject", imageData: photo, mask: { left: 0, top: 0, defaultColor: 0, imageData: mask } },
  ],
});
fs.writeFileSync(path.join(folder, "ag-psd.psd"), bytes);
console.log(Number(process.hrtime.bigint() - begin) / 1e9);
