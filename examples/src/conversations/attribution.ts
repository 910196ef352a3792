import { type Selected, selectionLimit, size } from './selection.ts';

/** Whom to name for each source, as its licence asks. */
const authors: ReadonlyMap<string, string> = new Map([
  ['badlogic/pi-mono', 'Copyright (c) 2025 Mario Zechner'],
  ['zhongwanjun/MemoryBank-SiliconFriend', 'Copyright (c) 2023 Wanjun Zhong'],
  ['microsoft/autogen', 'AutoGen documentation, Microsoft Corporation'],
  ['marot/spotter', 'Copyright (c) 2026 marot'],
  ['LAION-AI/Open-Assistant', 'LAION-AI and the contributors of Open Assistant'],
  [
    'jkkummerfeld/irc-disentanglement',
    'A Large-Scale Corpus for Conversation Disentanglement (Kummerfeld et al., ACL 2019)',
  ],
  ['sierra-research/tau-bench', 'Copyright (c) 2024 Sierra'],
  [
    'SWE-agent/SWE-agent',
    'Copyright (c) 2024 John Yang, Carlos E. Jimenez, Alexander Wettig, Shunyu Yao, Karthik Narasimhan, Ofir Press',
  ],
  ['RasaHQ/STAR', 'Copyright (c) 2020 Rasa Technologies GmbH'],
  [
    'thu-coai/CrossWOZ',
    'CrossWOZ (Qi Zhu, Kaili Huang, Zheng Zhang, Xiaoyan Zhu, Minlie Huang, TACL 2020)',
  ],
  [
    'google-research-datasets/Taskmaster',
    'Taskmaster-4 (Bill Byrne and Saravanan Ganesh, Google LLC)',
  ],
]);

/**
 * The README that goes with a selection: what was taken, from whom, under which licence.
 *
 * @throws Error for a source without authors to name.
 */
export function attributionOf(selection: readonly Selected[]): string {
  const rows = selection.flatMap(({ rule, records }) =>
    records.length === 0 ? [] : [rowOf({ rule, records })],
  );
  const all = selection.flatMap(({ records }) => records);
  const messages = all.reduce((sum, { record }) => sum + record.messages.length, 0);
  return `# Real conversations

${whole(all.length)} conversations with ${whole(messages)} messages, that nobody in this project wrote, for the examples, the tests and the benchmarks. Each record says where it is from: \`source\` is the repository on GitHub, \`source_path\` the file there, \`commit\` its version, \`license\` the licence.

| file | source, commit | licence, authors | conversations, messages, bytes | what was selected |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## How it was made

\`node examples/src/select-conversations.ts <source-directory>\` applies the rules of \`examples/src/conversations/selection.ts\` to a larger collection in the same format and writes these files and this page; nothing is chosen by hand. Lines are copied byte for byte, and all files together stay below ${whole(selectionLimit)} bytes.

## What was changed before

The collection brought logs of many forms into the one below. What people, models and tools said was left as it is, with these exceptions:
- In the Claude Code logs a person's name is replaced by \`[OWNER NAME]\`; such a message has \`name_redacted_by_converter\`.
- STAR and Taskmaster have no ids for calls of tools: those here, \`star_call_…\` and \`tm_call_…\`, were made.
- Which messages answer a question about the MemoryBank chat was marked by hand, not by its source.

## Format

One JSON object a line:
- \`id, source, source_path, commit, license, kind, [lang], [meta], [parent_session]\`
- a row of messages: \`messages: [{ id, role, name?, content, tool_calls?, tool_call_id?, … }]\`; a tree: \`nodes\`, each with \`parent\` (null at a root); both in log order
- \`tool_calls\`: \`{ id, type: "function", function: { name, arguments } }\`, \`arguments\` as the model sent them
- \`usage\`, \`timestamp\`, \`meta.reward\` and the like where the source has them, in its own words
- \`sessions\` and \`questions\` of chats over many days

\`examples/src/conversations/read.ts\` reads them as turns of a session.

## What is odd, and real

- Ids of tool calls come again later in the same conversation: a result belongs to the nearest earlier call.
- Some calls were never answered; some answers were broken off, and most of these are empty.
- Claude Code writes one answer over several lines and repeats its usage on each; only the last line has the final number of output tokens. Where it branches there are parallel tool calls, and a compacted log has two roots. Real alternatives are in the Open-Assistant trees.
- The arguments of two calls in a Taskmaster dialogue are not JSON.
- The MemoryBank chat is simulated, and so are the customers of tau-bench.
- The people of an IRC tree all have the role \`user\` and are told apart by \`name\`.

## Licences

The full texts of the Apache License, Version 2.0 (apache.org/licenses/LICENSE-2.0) and of Creative Commons Attribution 4.0 International (creativecommons.org/licenses/by/4.0) apply to what they are named for. For what is under the MIT License, with the copyright notices above:

> Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:
>
> The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.
>
> THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;
}

function rowOf({ rule, records }: Selected): string {
  const names = authors.get(rule.source);
  if (names === undefined) throw new Error(`No authors are named for the source ${rule.source}.`);
  const commits = new Set(records.map(({ record }) => record.commit.slice(0, 12)));
  const licenses = new Set(records.map(({ record }) => record.license));
  const messages = records.reduce((sum, { record }) => sum + record.messages.length, 0);
  const bytes = records.reduce((sum, each) => sum + size(each), 0);
  return `| \`${rule.file}\` | ${rule.source}, \`${[...commits].join(', ')}\` | ${[...licenses].join(', ')}. ${names} | ${[records.length, messages, bytes].map(whole).join(', ')} | ${rule.what} |`;
}

function whole(value: number): string {
  return value.toLocaleString('en-US').replaceAll(',', ' ');
}
