import { mkdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a Keyv may keep its keys in: a folder, with a file for each. A file is there whole or not at all, and stays
 * there when the process or the machine stops right after `set` was answered.
 */
export class Folder {
  readonly #path: string;
  #written = 0;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(path, { recursive: true });
  }

  #fileOf(key: string): string {
    return join(this.#path, encodeURIComponent(key));
  }

  async get(key: string): Promise<string | undefined> {
    try {
      return await readFile(this.#fileOf(key), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async set(key: string, value: string): Promise<void> {
    await this.setMany([{ key, value }]);
  }

  async setMany(
    entries: readonly { readonly key: string; readonly value: string }[],
  ): Promise<void> {
    await Promise.all(entries.map(({ key, value }) => this.#write(key, value)));
    // A file's name is durable once its folder is.
    await withFile(this.#path, 'r', (folder) => folder.sync());
  }

  async #write(key: string, value: string): Promise<void> {
    this.#written += 1;
    // No key has a space in its file's name.
    const fresh = join(this.#path, `${process.pid} ${this.#written}`);
    await withFile(fresh, 'w', async (file) => {
      await file.writeFile(value);
      await file.sync();
    });
    await rename(fresh, this.#fileOf(key));
  }

  async delete(key: string): Promise<boolean> {
    if (!(await this.has(key))) return false;
    await rm(this.#fileOf(key), { force: true });
    return true;
  }

  async has(key: string): Promise<boolean> {
    return stat(this.#fileOf(key)).then(
      () => true,
      () => false,
    );
  }

  async clear(): Promise<void> {
    await rm(this.#path, { recursive: true });
    await mkdir(this.#path);
  }
}

async function withFile(
  path: string,
  flags: string,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
