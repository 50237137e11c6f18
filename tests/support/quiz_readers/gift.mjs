// Reads a GIFT file with gift-pegjs, and writes what it found as JSON.
import fs from "node:fs";
import gift from "gift-pegjs";

const [, , path] = process.argv;
console.log(JSON.stringify(gift.parse(fs.readFileSync(path, "utf8"))));
