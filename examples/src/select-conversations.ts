import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attributionOf } from './conversations/attribution.ts';
import { conversationFiles } from './conversations/read.ts';
import { selectConversations, selectedFiles, selectionLimit } from './conversations/selection.ts';

// Writes the selection of real conversations in examples/data from a larger collection in the same format.
const [source] = process.argv.slice(2);
if (source === undefined) {
  console.error('usage: node select-conversations.ts <source-directory>');
  process.exit(2);
}

const selection = await selectConversations(source);
const missing = selection.filter(({ records }) => records.length === 0);
if (missing.length > 0) {
  const names = missing.map(({ rule }) => `${rule.source} in ${rule.file}`);
  throw new Error(`${source} has nothing of ${names.join(', ')}.`);
}

const files = new Map([...selectedFiles(selection), ['README.md', attributionOf(selection)]]);
const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
if (bytes > selectionLimit) {
  throw new Error(`The selection has ${bytes} bytes, more than ${selectionLimit}.`);
}

const target = join(import.meta.dirname, '..', 'data');
for (const old of await conversationFiles(target)) {
  if (!files.has(old)) await rm(join(target, old));
}
for (const [name, text] of files) await writeFile(join(target, name), text);
console.log(`${files.size} files, ${bytes} bytes.`);
