import { readFile, stat } from 'node:fs/promises';
import { yamlLimits } from './yaml-document.ts';

/** What a file holds, that it is not there, or why it cannot be read. */
export type ConfigFile =
  | { readonly text: string; readonly missing?: never; readonly problem?: never }
  | { readonly missing: true; readonly text?: never; readonly problem?: never }
  | { readonly problem: string; readonly text?: never; readonly missing?: never };

/** Reads a file of text. What is too large, no plain file, or no UTF-8 is a problem, told without its content. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return { problem: 'is no file that can be read' };
    if (found.size > yamlLimits.bytes) return tooLarge(found.size);
    const bytes = await readFile(path);
    if (bytes.length > yamlLimits.bytes) return tooLarge(bytes.length);
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT' || code === 'ENOTDIR') return { missing: true };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { problem: 'is not UTF-8' };
    return { problem: `cannot be read (${String(code)})` };
  }
}

function tooLarge(bytes: number): ConfigFile {
  return { problem: `has ${bytes} bytes; at most ${yamlLimits.bytes} are read` };
}
