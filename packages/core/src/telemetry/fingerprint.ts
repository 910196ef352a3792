import { createHash } from 'node:crypto';

/**
 * What logs and traces show in place of an id that may open something: the same for the same id, and nothing can be
 * opened with it. 16 characters of its SHA-256 in base64url.
 */
export function fingerprint(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 16);
}
