import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';

describe('the reader', () => {
  let place: string;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'conversations-'));
  });
  afterAll(() => rm(place, { recursive: true }));

  const header = {
    id: 'c',
    source: 'owner/name',
    source_path: 'log.json',
    commit: '0'.repeat(40),
    license: 'MIT',
    kind: 'chat',
  };

  async function read(content: string | Uint8Array): Promise<Conversation[]> {
    await writeFile(join(place, 'log.jsonl'), content);
    const conversations: Conversation[] = [];
    for await (const each of readConversations(place, { files: ['log.jsonl'] })) {
      conversations.push(each);
    }
    return conversations;
  }
  const readMessages = (...messages: object[]): Promise<Conversation[]> =>
    read(JSON.stringify({ ...header, messages }));
  const hello = { id: 'm', role: 'user', content: 'hello' };

  it('makes ids unique and keeps the given one', async () => {
    const [conversation] = await readMessages(
      { ...hello, parent: null },
      { ...hello, parent: 'm' },
      { ...hello, id: 'm#2', parent: 'm' },
    );
    expect(conversation?.turns).toMatchObject([
      { turn: { turnId: 'm' }, parent: null },
      { turn: { turnId: 'm#2', metadata: { source: { id: 'm' } } }, parent: 'm' },
      { turn: { turnId: 'm#2#2', metadata: { source: { id: 'm#2' } } }, parent: 'm#2' },
    ]);
  });

  it('turns blocks into parts and loses none', async () => {
    const [conversation] = await readMessages({
      ...hello,
      content: [
        { type: 'thinking', thinking: 'hm', signature: 's' },
        { type: 'text', text: 'hello', citations: [] },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'tool_reference', tool_name: 'x' },
        null,
      ],
    });
    expect(conversation?.turns[0]?.turn.content).toEqual([
      { type: 'reasoning', text: 'hm', signature: 's' },
      { type: 'text', text: 'hello', extra: { citations: [] } },
      { type: 'file', mediaType: 'image/png', data: 'AAAA' },
      { type: 'data', name: 'tool_reference', json: { type: 'tool_reference', tool_name: 'x' } },
      { type: 'data', name: 'block', json: null },
    ]);
  });

  it('ends a line only at a line feed', async () => {
    const line = (id: string): string =>
      JSON.stringify({ ...header, id, messages: [{ ...hello, content: 'one\u2028two' }] });
    const both = await read(`${line('a')}\n${line('b')}`);
    expect(both.map(({ id, title }) => [id, title])).toEqual([
      ['a', 'one'],
      ['b', 'one'],
    ]);
    expect(both[1]?.turns[0]?.turn.content).toBe('one\u2028two');
  });

  it.each([
    ['a lone surrogate', { ...hello, content: 'a\ud800' }, 'surrogate'],
    ['a lone surrogate in a key', { ...hello, extra: { '\udc00': 1 } }, 'surrogate'],
    ['U+0000', { ...hello, content: 'a\0' }, 'U+0000'],
    ['an id with a space at its end', { ...hello, id: 'm ' }, 'id'],
    ['an id that is too long', { ...hello, id: 'm'.repeat(129) }, 'id'],
    ['an unknown parent', { ...hello, parent: 'n' }, 'parent n'],
    ['an unknown role', { ...hello, role: 'robot' }, 'role'],
    ['no content', { id: 'm', role: 'user' }, 'content'],
    ['usage of another shape', { ...hello, usage: { tokens: 1 } }, 'shape'],
    ['half a token', { ...hello, usage: { prompt_tokens: 0.5 } }, 'tokens'],
    ['no time', { ...hello, timestamp: 'noon' }, 'time'],
  ])('refuses %s, with its place', async (_, message, problem) => {
    const failure = expect(readMessages(message)).rejects;
    await failure.toMatchObject({
      code: 'CONVERSATION_DATA',
      place: expect.stringMatching(/^log\.jsonl:1/),
      message: expect.stringContaining(problem),
    });
  });

  it('refuses a line that is no JSON, no UTF-8, or empty', async () => {
    const line = JSON.stringify({ ...header, messages: [hello] });
    const noUtf8 = Buffer.from(line);
    noUtf8[line.indexOf('hello')] = 0xff;
    for (const content of ['{"id":', noUtf8, `\ufeff${line}`, `\n${line}`]) {
      await expect(read(content)).rejects.toMatchObject({
        place: 'log.jsonl:1',
        message: expect.stringContaining('no JSON in UTF-8'),
      });
    }
    await expect(read(`${line}\n[]\n`)).rejects.toMatchObject({ place: 'log.jsonl:2' });
  });
});
