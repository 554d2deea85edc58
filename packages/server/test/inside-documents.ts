const LONG = 'x'.repeat(2_500);
export const NFC = 'zoë'.normalize('NFC');
export const NFD = 'zoë'.normalize('NFD');

/** What lies in the column, and whom it is about. */
export const DOCUMENTS: readonly (readonly [json: string | null, code: string | null])[] = [
  ['{"code": "7"}', '7'],
  ['{"code": 7}', '7'],
  ['{"code": 7.0}', '7'],
  ['{"code": ["7", "x"]}', '7'],
  ['[{"code": "7"}]', '7'],
  ['{"code": "07"}', '07'],
  ['{"code": "7.0"}', '7.0'],
  ['{"code": 70}', '70'],
  ['{"code": "7up"}', '7up'],
  ['{"code": 0}', '0'],
  ['{"code": "0"}', '0'],
  ['{"code": ""}', ''],
  ['{"code": 1.50}', '1.5'],
  ['{"code": 12345678901234567890123}', '12345678901234567890123'],
  ['{"code": true}', 'true'],
  ['{"code": "ann"}', 'ann'],
  ['{"code": "ANN"}', 'ANN'],
  ['{"code": "ann "}', 'ann '],
  [`{"code": "${NFC}"}`, NFC],
  [`{"code": "${NFD}"}`, NFC],
  ['{"code": "zo\\u00eb"}', NFC],
  ['{"code": "zoe"}', 'zoe'],
  ['{"code": "\\ud83d\\ude00"}', '😀'],
  ['{"code": "😀"}', '😀'],
  ['{"code": "(.*)|[^$]?+{2}"}', '(.*)|[^$]?+{2}'],
  [`{"code": "q\\"b\\\\c''d\\/%_$1"}`, `q"b\\c'd/%_$1`],
  [`{"code": "${LONG}"}`, LONG],
  ['{"code": null}', null],
  ['{"code": {"code": "7"}}', null],
  ['{"codes": "7", "Code": "7", "inner": {"code": "7"}}', null],
  ['{}', null],
  ['[]', null],
  ['"7"', null],
  ['7', null],
  ['null', null],
  [null, null],
];

export const NO_JSON = ['7', 'code: 7', '{"code": "7"', ''];

const spelledDocument = (field: string, value: string) =>
  JSON.stringify({ [field]: value }).replaceAll("'", "''");

/** The people of `SPELLED_PEOPLE` with what they are known by in JSON. */
export const SPELLED_DOCUMENTS: readonly string[] = [
  ...[
    [
      'ann@example.com',
      'Ann+Shop@Example.com',
      'ann+news+x@example.com',
      'anna@example.com',
      '+ann@example.com',
    ],
    [
      '"ann+a"@example.com',
      '"ann"@example.com',
      'ann@example.com+x',
      'ann+shop@example.org',
      'ann+',
      null,
      'ann',
    ],
  ]
    .flat()
    .map(
      (box, place) => `insert into boxes values (${place + 1}, '${spelledDocument('box', box as string)}')`,
    ),
  `insert into people values (1, '{"email": "ann@example.com", "phone": "+44 20 7946 0001"}')`,
  ...[
    ['phone', '0044 (0)20-7946.0001'],
    ['phone', '+442079460001'],
    ['phone', '+44 20 7946 0002'],
    ['phone', '020 7946 0001'],
    ['phone', '-'],
    ['phone', ''],
    ['phone', '+44 20 7946 00011'],
    ['nick', NFC],
    ['nick', NFD],
    ['nick', 'zoe'],
  ].map(
    ([field = '', value = ''], place) =>
      `insert into people values (${place + 2}, '${spelledDocument(field, value)}')`,
  ),
  `insert into people values (12, '${JSON.stringify({ email: 'eve@example.com', nick: 'bjørn-é'.normalize('NFC') })}')`,
  `insert into people values (13, '${JSON.stringify({ nick: 'bjørn-é'.normalize('NFD') })}')`,
  `insert into people values (14, '{"email": "fay@example.com", "phone": "+44 20 7946 0009"}'), (15, '{"email": "FAY@Example.com"}')`,
];
