import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attributionOf } from '../src/conversations/attribution.ts';
import {
  selectConversations,
  selectedFiles,
  selectionLimit,
} from '../src/conversations/selection.ts';

const ownSelection = join(import.meta.dirname, '..', 'data');

// The rules choose the same again from what they chose before, so this needs no larger collection.
const directory = process.env['CONVERSATIONS_DIR'] ?? ownSelection;

describe('the selection in examples/data', () => {
  it('is what the rules choose, to the byte', async () => {
    const selection = await selectConversations(directory);
    const files = new Map([...selectedFiles(selection), ['README.md', attributionOf(selection)]]);
    expect((await readdir(ownSelection)).sort()).toEqual([...files.keys()].sort());
    let bytes = 0;
    for (const [name, text] of files) {
      const own = await readFile(join(ownSelection, name));
      expect(own.equals(Buffer.from(text)), name).toBe(true);
      bytes += own.length;
    }
    expect(bytes).toBeLessThanOrEqual(selectionLimit);
  });
});
