import { MockEmbeddingModelV4 } from 'ai/test';
import { describe, expect, it } from 'vitest';
import { SessionInputError, SessionLimitError } from '../../src/errors.ts';
import { estimateTokens } from '../../src/projection/count-tokens.ts';
import { HybridContextPruner } from '../../src/projection/hybrid-pruner.ts';
import { project } from '../../src/projection/project.ts';
import type { Embedder } from '../../src/projection/semantic/embedder.ts';
import { energeticEmbedder } from '../../src/projection/semantic/energetic-embedder.ts';
import { SemanticContextPruner } from '../../src/projection/semantic-pruner.ts';
import type { TurnInput } from '../../src/session/turn.ts';
import { countOf, seeded } from '../scale.ts';
import { checkProjection } from './checked-projection.ts';
import { open } from './open-sessions.ts';
import { randomLog } from './random-log.ts';
import { turnsOf } from './turn.ts';

const topics = {
  food: 'I cooked pasta with tomatoes and basil for dinner, and baked some bread.',
  music: 'The band played a loud concert, and the guitarist sang my favourite song.',
  work: 'The quarterly report is late, because the office was closed on Friday.',
};
/** Long enough that each is a passage of its own. */
const talk = turnsOf(
  ...[topics.work, topics.music, topics.work, topics.food, topics.work].map(
    (content): TurnInput => ({ role: 'user', content: `${content} `.repeat(20).trim() }),
  ),
);

/** A vector of how often each letter comes: deterministic, and a text is most like itself. */
function letters(): { readonly embed: Embedder; readonly texts: string[] } {
  const texts: string[] = [];
  const embed: Embedder = async (given) => {
    texts.push(...given);
    return given.map((text) => {
      const vector = new Array<number>(27).fill(0);
      for (const letter of text.toLowerCase()) {
        const at = letter.charCodeAt(0) - 97;
        const n = at >= 0 && at < 26 ? at : 26;
        vector[n] = (vector[n] ?? 0) + 1;
      }
      return vector;
    });
  };
  return { embed, texts };
}

describe('SemanticContextPruner', () => {
  it('finds by meaning what shares no word with the query', async () => {
    const pruner = new SemanticContextPruner({ embedder: energeticEmbedder() });
    const find = async (query: string) =>
      (await pruner.prune(talk, query, { maxTurns: 1 })).map(({ turnId }) => turnId);
    expect(await find('Which meal did you prepare in the kitchen?')).toEqual(['t4']);
    expect(await find('What did they perform on stage?')).toEqual(['t2']);
  });

  it('embeds each text once, also when asked twice at a time', async () => {
    const { embed, texts } = letters();
    const pruner = new SemanticContextPruner({ embedder: embed });
    const prune = (turns = talk) => pruner.prune(turns, 'pasta', { maxTurns: 1 });
    const [one, other] = await Promise.all([prune(), prune()]);
    expect(one).toEqual(other);
    expect(texts.toSorted()).toEqual([...new Set(texts)].toSorted());
    const before = texts.length;
    await prune();
    expect(texts.length).toBe(before);
    const longer = turnsOf(...talk.map(({ seq: _, turnId: __, ...turn }) => turn), {
      role: 'user',
      content: `${topics.food} And wine.`.repeat(8),
    });
    await prune(longer);
    expect(texts.length).toBe(before + 1);
  });

  it('forgets what was not asked for longest', async () => {
    const { embed, texts } = letters();
    const pruner = new SemanticContextPruner({ embedder: embed, maxVectors: 2 });
    await pruner.prune(talk, 'pasta', { maxTurns: 1 });
    const before = texts.length;
    await pruner.prune(talk, 'pasta', { maxTurns: 1 });
    expect(texts.length).toBeGreaterThan(before);
  });

  it('takes an embedding model of the AI SDK, as many texts at a time as it takes', async () => {
    const { embed } = letters();
    const sizes: number[] = [];
    const model = new MockEmbeddingModelV4({
      maxEmbeddingsPerCall: 2,
      doEmbed: async ({ values }) => {
        sizes.push(values.length);
        const embeddings = (await embed(values)).map((vector) => Array.from(vector));
        return { embeddings, warnings: [] };
      },
    });
    const pruner = new SemanticContextPruner({ embedder: model });
    const kept = await pruner.prune(talk, topics.music, { maxTurns: 1 });
    expect(kept.map(({ turnId }) => turnId)).toEqual(['t2']);
    expect(Math.max(...sizes)).toBe(2);
  });

  it('passes on what its embedder throws, and asks again the next time', async () => {
    const { embed } = letters();
    let fails = true;
    const embedder: Embedder = (texts) => {
      if (fails) return Promise.reject(new Error('no connection'));
      return embed(texts);
    };
    const pruner = new SemanticContextPruner({ embedder });
    const projected = async () => project(talk, { query: 'pasta', maxTokens: 500, pruner });
    await expect(projected()).rejects.toThrow('no connection');
    fails = false;
    expect((await projected()).turnIds).toHaveLength(1);
  });

  it('refuses an embedder that answers something else', async () => {
    const answers: readonly unknown[] = [
      undefined,
      [],
      [[1]],
      ['x'],
      Array.from({ length: 6 }, (_, i) => (i === 3 ? [1, 2] : [1])),
      Array.from({ length: 6 }, () => [Number.NaN]),
      Array.from({ length: 6 }, () => []),
    ];
    for (const answer of answers) {
      const embedder = (async () => answer) as Embedder;
      const pruner = new SemanticContextPruner({ embedder });
      await expect(
        pruner.prune(talk, 'pasta', { maxTurns: 1 }),
        JSON.stringify(answer),
      ).rejects.toThrow(SessionInputError);
    }
    for (const options of [undefined, {}, { embedder: 'x' }, { embedder: {} }]) {
      expect(() => new SemanticContextPruner(options as never)).toThrow(SessionInputError);
    }
    const { embed } = letters();
    const bad: readonly object[] = [{ weight: -1 }, { weight: '1' }, { maxVectors: 0 }, { x: 1 }];
    for (const more of bad) {
      expect(() => new HybridContextPruner({ embedder: embed, ...more })).toThrow(
        SessionInputError,
      );
    }
  });
});

describe('HybridContextPruner', () => {
  it('finds by words and by meaning', async () => {
    const pruner = new HybridContextPruner({ embedder: energeticEmbedder() });
    const find = async (query: string) =>
      (await pruner.prune(talk, query, { maxTurns: 1 })).map(({ turnId }) => turnId);
    expect(await find('guitarist')).toEqual(['t2']);
    expect(await find('Which meal did you prepare in the kitchen?')).toEqual(['t4']);
  });

  it('makes valid projections of any log', async () => {
    const random = seeded(21);
    const pruners = [
      new HybridContextPruner({ embedder: letters().embed }),
      new SemanticContextPruner({ embedder: letters().embed }),
    ];
    for (let seed = 1; seed <= countOf(1_000, 60); seed++) {
      const turns = randomLog(seed, { turns: 1 + Math.floor(random() * 40) });
      const asked = { maxTokens: 20 + Math.floor(random() * 2_000), countTokens: estimateTokens };
      const pruner = pruners[seed % 2] as (typeof pruners)[0];
      try {
        checkProjection(turns, await project(turns, { ...asked, query: 'order', pruner }), asked);
      } catch (error) {
        if (!(error instanceof SessionLimitError)) throw new Error(`log ${seed}`, { cause: error });
      }
    }
  });

  it('projects a session', async () => {
    await using sessions = await open();
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    await sessions.manager.addTurns(
      sessionId,
      talk.map(({ seq: _, ...turn }) => turn),
    );
    const pruner = new HybridContextPruner({ embedder: letters().embed });
    const options = { query: 'guitarist', maxTokens: 500, pruner };
    const { turnIds } = await sessions.projection.project(sessionId, options);
    expect(turnIds).toEqual((await project(talk, options)).turnIds);
    expect(turnIds).toContain('t2');
  });
});
