// Turns the items of a QTI 2 package, unpacked, into QTI 3, which the player takes; writes them as JSON by their names.
import fs from "node:fs";
import { convertQti2toQti3 } from "@citolab/qti-convert/qti-convert-node";

const [, , folder] = process.argv;
const found = {};
for (const name of fs.readdirSync(folder)) {
  found[name.replace(/\.xml$/, "")] = await convertQti2toQti3(fs.readFileSync(`${folder}/${name}`, "utf8"));
}
console.log(JSON.stringify(found));
