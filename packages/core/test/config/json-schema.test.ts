import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { configFields } from '../../src/config/session-config.ts';

const root = join(import.meta.dirname, '..', '..');
const file = JSON.parse(readFileSync(join(root, 'application.schema.json'), 'utf8'));

describe('application.schema.json', () => {
  it('is what the configuration’s schema makes; if not, run: npm run schema', () => {
    expect(file).toEqual(configJsonSchema());
  });

  it('has every field as files write it, with its meaning and default', () => {
    const { properties } = file.properties.ai_session;
    expect(Object.keys(properties)).toEqual(configFields.map(({ written }) => written));
    for (const [name, field] of Object.entries<object>(properties)) {
      expect(field, name).toHaveProperty('default');
      expect(field, name).toHaveProperty('description', expect.stringMatching(/^.{10,}\.$/));
    }
  });

  it.each([
    ['ai_session: {session_ttl: 60, backend: database, database: {url: "sqlite:a"}}', true],
    ['ai_session: {cache: {nodes: [redis://a]}, cookie_name: null}', true],
    ['ai_session:', true],
    ['other: {session_ttl: none of ours}', true],
    ['ai_session: {sesion_ttl: 60}', false],
    ['ai_session: {sessionTtl: 60}', false],
    ['ai_session: {session_ttl: -1}', false],
    ['ai_session: {session_ttl: null}', false],
    ['ai_session: {backend: redis}', false],
    ['ai_session: {database: {path: a}}', false],
    ['ai_session: {header_name: "a b"}', false],
    ['ai_session: [a]', false],
  ])('judges %s', (text, fits) => {
    expect(z.fromJSONSchema(file).safeParse(parse(text)).success).toBe(fits);
  });
});
