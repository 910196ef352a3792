import { countTokens as countGpt } from 'gpt-tokenizer';
import { describe, expect, it } from 'vitest';
import { SessionInputError, SessionLimitError } from '../../src/errors.ts';
import { project } from '../../src/projection/project.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import { noResult, opening } from '../../src/projection/shown.ts';
import type { ToolCall, TurnInput } from '../../src/session/turn.ts';
import { turnsOf } from './turn.ts';

const user = (content: string): TurnInput => ({ role: 'user', content });
const answer = (content: string): TurnInput => ({ role: 'assistant', content });
const call = (id: string, name = 'search'): ToolCall => ({ id, name, arguments: `{"of":"${id}"}` });
const calls = (...toolCalls: readonly ToolCall[]): TurnInput => ({
  role: 'assistant',
  content: '',
  toolCalls,
});
const result = (toolCallId: string, content = `result of ${toolCallId}`): TurnInput => ({
  role: 'tool',
  toolCallId,
  content,
});
/** Role, content and ids of what a model sees. */
const shown = (...inputs: readonly TurnInput[]) =>
  project(turnsOf(...inputs)).messages.map(({ content, role, toolCallId, toolCalls }) => [
    role,
    content,
    ...(toolCalls?.map(({ id }) => id) ?? []),
    ...(toolCallId === undefined ? [] : [toolCallId]),
  ]);

describe('calls of tools', () => {
  it('are followed by their results in the order of the calls', () => {
    expect(shown(user('go'), calls(call('a'), call('b')), result('b'), result('a'))).toEqual([
      ['user', 'go'],
      ['assistant', '', 'a', 'b'],
      ['tool', 'result of a', 'a'],
      ['tool', 'result of b', 'b'],
    ]);
  });

  it('whose ids come again belong to the nearest result, and get ids of their own', () => {
    expect(
      shown(user('go'), calls(call('a')), result('a', 'one'), calls(call('a')), result('a', 'two')),
    ).toEqual([
      ['user', 'go'],
      ['assistant', '', 'a'],
      ['tool', 'one', 'a'],
      ['assistant', '', 'a_2'],
      ['tool', 'two', 'a_2'],
    ]);
    // The newer of two open calls is answered first.
    expect(
      shown(user('go'), calls(call('a')), calls(call('a')), result('a', 'two'), result('a', 'one')),
    ).toEqual([
      ['user', 'go'],
      ['assistant', '', 'a'],
      ['tool', 'one', 'a'],
      ['assistant', '', 'a_2'],
      ['tool', 'two', 'a_2'],
    ]);
  });

  it('get a result that comes late, before what was said meanwhile', () => {
    expect(shown(user('go'), calls(call('a')), user('hurry'), result('a'))).toEqual([
      ['user', 'go'],
      ['assistant', '', 'a'],
      ['tool', 'result of a', 'a'],
      ['user', 'hurry'],
    ]);
  });

  it('without a result are closed, and a result without a call is left out', () => {
    const turns = turnsOf(user('go'), calls(call('a')), result('z'), result('a'), result('a'));
    const { messages, omitted } = project([...turns.slice(0, 3)]);
    expect(messages.map(({ content }) => content)).toEqual(['go', '', noResult]);
    expect(messages[2]?.isError).toBe(true);
    expect(omitted).toEqual([{ from: 3, to: 3, reason: 'orphan' }]);
    expect(project(turns).omitted.map(({ from }) => from)).toEqual([3, 5]);
  });

  it('are kept or dropped whole', () => {
    const turns = turnsOf(
      user('find the treasure'),
      calls(call('a')),
      result('a', `a treasure ${'and so on '.repeat(100)}`),
      ...Array.from({ length: 20 }, () => user('something else')),
    );
    const { omitted, turnIds } = project(turns, { query: 'treasure', maxTokens: 60 });
    expect(turnIds).toContain('t1');
    expect(turnIds).not.toContain('t2');
    expect(omitted[0]).toMatchObject({ from: 2, reason: 'budget' });
    const kept = project(turns, { query: 'treasure', maxTurns: 4 });
    expect(kept.turnIds).toEqual(expect.arrayContaining(['t2', 't3']));
  });
});

describe('turns as no model takes them', () => {
  it('that are empty or broken off are left out, with the reason', () => {
    const turns = turnsOf(
      user('go'),
      answer(' \n'),
      { ...answer(''), state: 'aborted' },
      { ...calls(call('a')), state: 'aborted' },
      { ...answer('half an'), state: 'aborted' },
      user(''),
    );
    const { messages, omitted } = project(turns);
    expect(messages.map(({ content }) => content)).toEqual(['go', 'half an']);
    expect(omitted).toEqual([
      { from: 2, to: 2, reason: 'empty' },
      { from: 3, to: 4, reason: 'aborted' },
      { from: 6, to: 6, reason: 'empty' },
    ]);
  });

  it('become one message where one role speaks twice', () => {
    expect(shown(user('a'), user('b'), answer('c'), answer('d'), calls(call('x')))).toEqual([
      ['user', 'a\n\nb'],
      ['assistant', 'c\n\nd', 'x'],
      ['tool', noResult, 'x'],
    ]);
  });

  it('begin with the user', () => {
    expect(shown({ role: 'system', content: 'Be brief.' }, answer('hello'))).toEqual([
      ['system', 'Be brief.'],
      ['user', opening],
      ['assistant', 'hello'],
    ]);
  });

  it('keep a system turn in between as what it is', () => {
    expect(shown(user('a'), { role: 'system', content: 'Rules changed.' })).toEqual([
      ['user', 'a\n\nSystem: Rules changed.'],
    ]);
  });

  it('tell who speaks, where several do', () => {
    expect(shown({ ...user('a'), name: 'Ann' }, { ...user('b'), name: 'Bo' })).toEqual([
      ['user', 'Ann: a\n\nBo: b'],
    ]);
  });
});

describe('a viewer', () => {
  it('sees what is visible to it, and other agents from outside', () => {
    const turns = turnsOf(
      user('go'),
      { ...answer('mine'), agent: 'a' },
      { ...answer('theirs'), agent: 'b' },
      { ...answer('secret'), agent: 'b', visibleTo: ['b'] },
      { ...user('not for a'), hiddenFrom: ['a'] },
    );
    const { messages, omitted } = project(turns, { viewer: 'a' });
    expect(messages.map(({ content, role }) => [role, content])).toEqual([
      ['user', 'go'],
      ['assistant', 'mine'],
      ['user', 'b: theirs'],
    ]);
    expect(omitted).toEqual([{ from: 4, to: 5, reason: 'hidden' }]);
  });

  it('sees a call whose result is hidden as one without a result', () => {
    const turns = turnsOf(user('go'), calls(call('a')), { ...result('a'), visibleTo: ['b'] });
    const { messages } = project(turns, { viewer: 'a' });
    expect(messages.at(-1)?.content).toBe(noResult);
  });
});

describe('a budget', () => {
  const talk = turnsOf(
    ...Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? user : answer)(`number ${i + 1}`)),
  );

  it('keeps the last question and what came of it', () => {
    const turns = turnsOf(
      ...talk.slice(0, 30).map(({ seq: _, turnId: __, ...turn }) => turn),
      user('what about the bill?'),
      calls(call('a')),
      result('a'),
    );
    const { turnIds } = project(turns, { maxTokens: 80 });
    expect(turnIds.slice(-3)).toEqual(['t31', 't32', 't33']);
    const asked = project(turns, { maxTokens: 80, query: 'what about the bill?' });
    expect(asked.turnIds).toEqual(turnIds);
  });

  it('has a part for the answer', () => {
    const all = { maxTokens: 200, pruner: new RecencyContextPruner() };
    const { parts, tokens } = project(talk, { ...all, reserve: 120 });
    expect(parts.reserve).toBe(120);
    expect(tokens).toBeLessThanOrEqual(80);
    expect(parts.system + parts.summary + parts.pinned + parts.history).toBe(tokens);
    expect(() => project(talk, { ...all, reserve: 201 })).toThrow(SessionLimitError);
  });

  it('counts turns too', () => {
    const pruner = new RecencyContextPruner();
    const { turnIds } = project(talk, { maxTurns: 5, pruner });
    expect(turnIds).toEqual(['t36', 't37', 't38', 't39', 't40']);
  });

  it('is exact with an exact counter', () => {
    const { messages, tokens } = project(talk, { maxTokens: 100, countTokens: countGpt });
    const exact = messages.reduce((sum, { content }) => sum + 4 + countGpt(String(content)), 0);
    expect(exact).toBeLessThanOrEqual(tokens);
    expect(tokens).toBeLessThanOrEqual(100);
    expect(exact).toBeGreaterThan(80);
  });

  it('has a summary in it', () => {
    const summary = { text: 'They counted.', toSeq: 30 };
    const { messages, turnIds } = project(talk, { summary, maxTokens: 200 });
    expect(messages[0]?.content).toBe(
      'Summary of the conversation so far:\n\nThey counted.\n\nnumber 31',
    );
    expect(turnIds[0]).toBe('t31');
  });
});

describe('what is not as it has to be', () => {
  it('is refused', () => {
    const good = turnsOf(user('a'));
    for (const turns of [null, 'x', [null], [{ ...good[0], seq: 0 }], [good[0], good[0]]]) {
      expect(() => project(turns as never)).toThrow(SessionInputError);
    }
    const bad: readonly object[] = [
      { pinned: 't1' },
      { pinned: [3] },
      { summary: { text: '', toSeq: 1 } },
      { summary: { text: 'a' } },
      { format: 'x' },
      { nothing: 1 },
    ];
    for (const options of bad) {
      expect(() => project(good, options), JSON.stringify(options)).toThrow(SessionInputError);
    }
  });

  it('leaves the turns as they were', () => {
    const turns = turnsOf(user('a'), calls(call('x')), result('x'));
    const before = JSON.stringify(turns);
    const { messages } = project(turns, { format: 'anthropic' });
    expect(Object.isFrozen(messages)).toBe(true);
    expect(JSON.stringify(turns)).toBe(before);
  });
});
