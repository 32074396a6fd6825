// Reads a PSD with ag-psd and writes what it found: FOLDER/found.json and raw samples beside it.
// Usage: node ag_psd_dump.cjs FILE FOLDER [--no-composite] [--packed]
// ag-psd cannot decode all that it can take apart: --no-composite leaves the merged picture alone,
// --packed gives the layers' channels as they are packed in the file.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { initializeCanvas, readPsd } = require("ag-psd");
// ag-psd knows how to decode CMYK and leaves it out of its list by default.
require("ag-psd/dist/psdReader").supportedColorModes.push(4);

initializeCanvas(
  () => { throw new Error("no canvas is needed to read samples"); },
  (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }),
);

const [file, folder, ...flags] = process.argv.slice(2);
const packed = flags.includes("--packed");
const bytes = fs.readFileSync(file);
const psd = readPsd(bytes, { useImageData: true, useRawData: packed, useRawThumbnail: true,
  skipCompositeImageData: packed || flags.includes("--no-composite"), strict: true });
let count = 0;

function saved(data) {
  const name = `samples-${count++}.raw`;
  fs.writeFileSync(path.join(folder, name), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return name;
}

function samples(image) {
  if (!image) return null;
  return { file: saved(image.data), width: image.width, height: image.height, bytes: image.data.BYTES_PER_ELEMENT };
}

function layer(found) {
  const { name, id, left, top, right, bottom, blendMode, opacity, hidden, mask, children } = found;
  return {
    name, id, left, top, right, bottom, blendMode, opacity, hidden,
    pixels: samples(found.imageData),
    packed: packed && found.rawData.channels.map(
      ({ id, compression, data }) => ({ id, compression, file: data ? saved(data) : null })),
    mask: mask && {
      left: mask.left, top: mask.top, right: mask.right, bottom: mask.bottom,
      outside: mask.defaultColor, disabled: mask.disabled, relative: mask.positionRelativeToLayer,
      pixels: samples(mask.imageData),
    },
    children: children && children.map(layer),
  };
}

const found = {
  width: psd.width, height: psd.height, bits: psd.bitsPerChannel, mode: psd.colorMode, channels: psd.channels,
  resolution: psd.imageResources.resolutionInfo,
  channelNames: psd.imageResources.alphaChannelNames,
  hasThumbnail: Boolean(psd.imageResources.thumbnailRaw),
  composite: samples(psd.imageData),
  layers: psd.children.map(layer),
};
fs.writeFileSync(path.join(folder, "found.json"), JSON.stringify(found));
