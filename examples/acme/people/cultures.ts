/** A name as its owner writes it, and as it fits an ASCII mailbox. */
export type Name = readonly [written: string, latin: string];

/** Where people of the example come from: names, a city, and how a street is written there. */
export interface Culture {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** BCP 47. */
  readonly language: string;
  readonly given: readonly [Name, ...Name[]];
  readonly family: readonly [Name, ...Name[]];
  readonly familyFirst: boolean;
  readonly cities: readonly [string, ...string[]];
  readonly street: (number: number) => string;
  /** A number from a range that the country's regulator keeps for films and examples, or nobody's. */
  readonly phone: (number: number) => string;
}

const two = (number: number) => String(number % 100).padStart(2, '0');
const three = (number: number) => String(number % 1000).padStart(3, '0');

/** Country code 999 is not assigned: nobody answers. */
const nobody = (number: number) => `+999${String(10_000_000 + (number % 90_000_000))}`;

/** Sixteen of them: many scripts, apostrophes, hyphens and particles in names. */
export const CULTURES: readonly [Culture, ...Culture[]] = [
  {
    country: 'GB',
    language: 'en',
    given: [
      ['Ada', 'ada'],
      ['Alan', 'alan'],
      ['Mary-Jane', 'mary-jane'],
      ['Zoë', 'zoe'],
      ['Oliver', 'oliver'],
    ],
    family: [
      ['Lovelace', 'lovelace'],
      ["D'Arcy", "d'arcy"],
      ['Smith', 'smith'],
      ['Fitz-William', 'fitz-william'],
    ],
    familyFirst: false,
    cities: ['London', 'Leeds', 'Bath'],
    street: (number) => `${number} Mill Lane`,
    phone: (number) => `+44207946${String(number % 1000).padStart(4, '0')}`,
  },
  {
    country: 'IE',
    language: 'en',
    given: [
      ['Siobhán', 'siobhan'],
      ['Seán', 'sean'],
      ['Niamh', 'niamh'],
      ['Oisín', 'oisin'],
    ],
    family: [
      ["O'Neill", "o'neill"],
      ['Ó Briain', 'obriain'],
      ["O'Connor", "o'connor"],
      ['Murphy', 'murphy'],
    ],
    familyFirst: false,
    cities: ['Dublin', 'Galway'],
    street: (number) => `${number} St. Stephen's Green`,
    phone: (number) => `+353209100${three(number)}`,
  },
  {
    country: 'US',
    language: 'en',
    given: [
      ['Grace', 'grace'],
      ['Katherine', 'katherine'],
      ['Robert', 'robert'],
      ['José', 'jose'],
    ],
    family: [
      ['Hopper', 'hopper'],
      ['Johnson', 'johnson'],
      ['Null', 'null'],
      ['García', 'garcia'],
    ],
    familyFirst: false,
    cities: ['Boston', 'Austin', 'Fargo'],
    street: (number) => `${number} Elm Street, Apt ${(number % 40) + 1}`,
    phone: (number) => `+120255501${two(number)}`,
  },
  {
    country: 'DE',
    language: 'de',
    given: [
      ['Jürgen', 'juergen'],
      ['Käthe', 'kaethe'],
      ['Günter', 'guenter'],
      ['Anneliese', 'anneliese'],
    ],
    family: [
      ['Müller', 'mueller'],
      ['Groß', 'gross'],
      ['von der Heide', 'vonderheide'],
      ['Weiß', 'weiss'],
    ],
    familyFirst: false,
    cities: ['Köln', 'Weißenfels', 'München'],
    street: (number) => `Königstraße ${number}`,
    phone: (number) => `+493023125${three(number)}`,
  },
  {
    country: 'FR',
    language: 'fr',
    given: [
      ['Chloé', 'chloe'],
      ['François', 'francois'],
      ['Maëlle', 'maelle'],
      ['Jean-Noël', 'jean-noel'],
    ],
    family: [
      ["L'Hôpital", "l'hopital"],
      ['Lefèvre', 'lefevre'],
      ['Dubois', 'dubois'],
      ["d'Alembert", "d'alembert"],
    ],
    familyFirst: false,
    cities: ["L'Haÿ-les-Roses", 'Lyon', 'Besançon'],
    street: (number) => `${number}, rue de l'Église`,
    phone: (number) => `+331990000${two(number)}`,
  },
  {
    country: 'PL',
    language: 'pl',
    given: [
      ['Łukasz', 'lukasz'],
      ['Małgorzata', 'malgorzata'],
      ['Józef', 'jozef'],
    ],
    family: [
      ['Wójcik', 'wojcik'],
      ['Dąbrowska', 'dabrowska'],
      ['Brzęczyszczykiewicz', 'brzeczyszczykiewicz'],
    ],
    familyFirst: false,
    cities: ['Łódź', 'Kraków'],
    street: (number) => `ul. Świętokrzyska ${number}`,
    phone: nobody,
  },
  {
    country: 'VN',
    language: 'vi',
    given: [
      ['Thị Hương', 'thihuong'],
      ['Văn Đức', 'vanduc'],
      ['Ngọc Ánh', 'ngocanh'],
    ],
    family: [
      ['Nguyễn', 'nguyen'],
      ['Trần', 'tran'],
      ['Phạm', 'pham'],
    ],
    familyFirst: true,
    cities: ['Hà Nội', 'Đà Nẵng'],
    street: (number) => `${number} Đường Lê Lợi`,
    phone: nobody,
  },
  {
    country: 'UA',
    language: 'uk',
    given: [
      ['Олена', 'olena'],
      ['Дмитро', 'dmytro'],
      ["В'ячеслав", 'viacheslav'],
    ],
    family: [
      ['Шевченко', 'shevchenko'],
      ["Дем'янюк", 'demianiuk'],
      ['Ковальчук', 'kovalchuk'],
    ],
    familyFirst: false,
    cities: ['Київ', 'Львів'],
    street: (number) => `вул. Хрещатик, ${number}`,
    phone: nobody,
  },
  {
    country: 'GR',
    language: 'el',
    given: [
      ['Ελένη', 'eleni'],
      ['Γιώργος', 'giorgos'],
      ['Άννα', 'anna'],
    ],
    family: [
      ['Παπαδοπούλου', 'papadopoulou'],
      ['Νικολαΐδης', 'nikolaidis'],
      ['Οικονόμου', 'oikonomou'],
    ],
    familyFirst: false,
    cities: ['Αθήνα', 'Θεσσαλονίκη'],
    street: (number) => `Ερμού ${number}`,
    phone: nobody,
  },
  {
    country: 'GE',
    language: 'ka',
    given: [
      ['ნინო', 'nino'],
      ['გიორგი', 'giorgi'],
      ['თამარ', 'tamar'],
    ],
    family: [
      ['ბერიძე', 'beridze'],
      ['კაპანაძე', 'kapanadze'],
      ['გელაშვილი', 'gelashvili'],
    ],
    familyFirst: false,
    cities: ['თბილისი', 'ბათუმი'],
    street: (number) => `რუსთაველის გამზირი ${number}`,
    phone: nobody,
  },
  {
    country: 'EG',
    language: 'ar',
    given: [
      ['فاطمة', 'fatima'],
      ['محمد', 'mohamed'],
      ['أمينة', 'amina'],
    ],
    family: [
      ['السيد', 'elsayed'],
      ['عبد الله', 'abdallah'],
      ['محفوظ', 'mahfouz'],
    ],
    familyFirst: false,
    cities: ['القاهرة', 'الإسكندرية'],
    street: (number) => `${number} شارع التحرير`,
    phone: nobody,
  },
  {
    country: 'IL',
    language: 'he',
    given: [
      ['נועה', 'noa'],
      ['דוד', 'david'],
      ['יעל', 'yael'],
    ],
    family: [
      ['כהן', 'cohen'],
      ['לוי', 'levi'],
      ['בן־דוד', 'ben-david'],
    ],
    familyFirst: false,
    cities: ['תל אביב', 'חיפה'],
    street: (number) => `רחוב הרצל ${number}`,
    phone: nobody,
  },
  {
    country: 'IN',
    language: 'hi',
    given: [
      ['प्रिया', 'priya'],
      ['अर्जुन', 'arjun'],
      ['दीपिका', 'deepika'],
    ],
    family: [
      ['शर्मा', 'sharma'],
      ['पटेल', 'patel'],
      ['श्रीवास्तव', 'srivastava'],
    ],
    familyFirst: false,
    cities: ['दिल्ली', 'मुंबई'],
    street: (number) => `${number}, महात्मा गांधी मार्ग`,
    phone: nobody,
  },
  {
    country: 'CN',
    language: 'zh',
    given: [
      ['秀英', 'xiuying'],
      ['伟', 'wei'],
      ['𠮷祥', 'jixiang'],
    ],
    family: [
      ['王', 'wang'],
      ['李', 'li'],
      ['欧阳', 'ouyang'],
    ],
    familyFirst: true,
    cities: ['北京市', '上海市'],
    street: (number) => `中山路${number}号`,
    phone: nobody,
  },
  {
    country: 'JP',
    language: 'ja',
    given: [
      ['さくら', 'sakura'],
      ['健一', 'kenichi'],
      ['ジョン', 'john'],
    ],
    family: [
      ['佐藤', 'sato'],
      ['髙橋', 'takahashi'],
      ['渡邉', 'watanabe'],
    ],
    familyFirst: true,
    cities: ['東京都', '京都市'],
    street: (number) => `桜通り${(number % 9) + 1}丁目${number}番地`,
    phone: nobody,
  },
  {
    country: 'KR',
    language: 'ko',
    given: [
      ['지우', 'jiwoo'],
      ['서연', 'seoyeon'],
      ['민준', 'minjun'],
    ],
    family: [
      ['김', 'kim'],
      ['이', 'lee'],
      ['박', 'park'],
    ],
    familyFirst: true,
    cities: ['서울특별시', '부산광역시'],
    street: (number) => `세종대로 ${number}`,
    phone: nobody,
  },
];
