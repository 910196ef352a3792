import { describe, expect, it } from 'vitest';
import { maskAddress } from '../../src/config/mask-address.ts';

describe('maskAddress', () => {
  it.each([
    ['sqlite:sessions.db', "'sqlite:sessions.db'"],
    ['sqlite::memory:', "'sqlite::memory:'"],
    ['', "''"],
    ['postgres://host/db', "'postgres://host/db'"],
    ['postgres://user:secret@host:5432/db', "'postgres://***@host:5432/db'"],
    ['postgres://secret@host/db', "'postgres://***@host/db'"],
    ['postgres://a:sec@ret:x@host/db', "'postgres://***@host/db'"],
    ['postgres://a:sec/ret@host/db', "'postgres://***@host/db'"],
    ['postgres://a:s?ec#ret@host/db', "'postgres://***@host/db'"],
    ['postgres://host/db?password=secret', "'postgres://host/db'"],
    ['postgres://host/db#secret', "'postgres://host/db'"],
    ['redis://:secret', "'redis://***'"],
    ['redis://[::1]:6379/0', "'redis://[::1]:6379/0'"],
    ['host=a password=secret', 'a text of 22 characters'],
    ['sqlite:a.db?key=secret', 'a text of 22 characters'],
    ['mysql:secret@host', 'a text of 17 characters'],
    [
      `postgres://u:secret@${'h'.repeat(100)}/x`,
      `'postgres://***@${'h'.repeat(25)}…' (117 characters)`,
    ],
  ])('%s', (address, shown) => {
    expect(maskAddress(address)).toBe(shown);
    expect(shown).not.toContain('secret');
  });
});
