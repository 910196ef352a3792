import { randomBytes } from 'node:crypto';

/** Keys that sign the cookie, the newest first. Without any, this process signs with one that ends with it. */
export const secrets: readonly (string | Uint8Array)[] = process.env['SESSION_SECRETS']?.split(
  ',',
) ?? [randomBytes(32)];
