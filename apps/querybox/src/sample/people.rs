//! Names and places for invented people, in many scripts.

use super::random::Random;

/// A name as it is written and as it goes into an email address, parted by `=`; without `=` it is lower-cased for it.
type Name = &'static str;

/// How people of one country are called and where they live.
pub(super) struct Place {
    /// ISO 3166-1, two letters.
    pub(super) country: &'static str,
    /// ISO 639-1, two letters.
    pub(super) language: &'static str,
    family_first: bool,
    given: &'static [Name],
    family: &'static [Name],
    /// Street and city, each with `#` for a number.
    streets: &'static [&'static str],
    cities: &'static [&'static str],
}

/// A person's name.
pub(super) struct Person {
    /// As the person writes it.
    pub(super) name: String,
    /// In small Latin letters with a dot between the parts: the start of an email address.
    pub(super) mailbox: String,
}

impl Place {
    pub(super) fn draw_person(&self, random: &mut Random) -> Person {
        let (given, given_latin) = parts(random.pick::<Name>(self.given));
        let (family, family_latin) = parts(random.pick::<Name>(self.family));
        let name = match (self.family_first, self.country) {
            (true, "VN") => format!("{family} {given}"),
            (true, _) => format!("{family}{given}"),
            (false, _) => format!("{given} {family}"),
        };
        Person { name, mailbox: format!("{given_latin}.{family_latin}") }
    }

    pub(super) fn draw_address(&self, random: &mut Random) -> String {
        let street = random.pick(self.streets).replace('#', &random.between(1, 140).to_string());
        let city = random.pick(self.cities);
        let code = random.between(10_000, 99_999);
        format!("{street}, {code} {city}, {}", self.country)
    }
}

fn parts(name: Name) -> (&'static str, String) {
    match name.split_once('=') {
        Some((written, latin)) => (written, latin.to_owned()),
        None => (name, name.to_ascii_lowercase()),
    }
}

/// The places with their share of the customers.
pub(super) const PLACES: &[(u32, Place)] = &[
    (
        16,
        Place {
            country: "DE",
            language: "de",
            family_first: false,
            given: &[
                "Jürgen=juergen",
                "Anna",
                "Lukas",
                "Käthe=kaethe",
                "Sören=soeren",
                "Mia",
                "Jonas",
                "Leonie",
                "Götz=goetz",
                "Frieda",
                "Emil",
                "Änne=aenne",
                "Ruth",
                "Till",
                "Wiebke",
                "Ole",
            ],
            family: &[
                "Weiß=weiss",
                "Brandt",
                "Müller=mueller",
                "Köhler=koehler",
                "Ostermann",
                "Lindner",
                "Vogt",
                "Jäger=jaeger",
                "Thiel",
                "Böhm=boehm",
                "Ziegler",
                "von der Heide=vonderheide",
                "Pohl",
                "Kraus",
                "Groß=gross",
            ],
            streets: &["Lindenweg #", "Hauptstraße #", "Am Mühlbach #"],
            cities: &["Lübeck", "Görlitz", "Köln", "Jena"],
        },
    ),
    (
        14,
        Place {
            country: "GB",
            language: "en",
            family_first: false,
            given: &[
                "Olivia",
                "Harry",
                "Zoë=zoe",
                "Imogen",
                "Callum",
                "Niamh",
                "Ewan",
                "Priya",
                "Rhys",
                "Beatrix",
                "Siân=sian",
                "Oscar",
                "Tamsin",
                "Hamish",
                "Ada",
                "Wilf",
            ],
            family: &[
                "O'Neill=oneill",
                "Ashworth",
                "Fairweather",
                "Lloyd-Price=lloydprice",
                "Hart",
                "Pemberton",
                "Tregenza",
                "MacLeod",
                "Ó Briain=obriain",
                "Whittle",
                "Begum",
                "Stokes",
                "Ravenscroft",
                "Kaur",
                "Penhaligon",
            ],
            streets: &["# Orchard Lane", "Flat #, Mill House", "# Station Road"],
            cities: &["Leeds", "Bath", "Cardiff", "Inverness"],
        },
    ),
    (
        14,
        Place {
            country: "US",
            language: "en",
            family_first: false,
            given: &[
                "Ethan",
                "Maya",
                "José=jose",
                "Harper",
                "Logan",
                "Renée=renee",
                "Caleb",
                "Aaliyah",
                "Wyatt",
                "Soledad",
                "June",
                "Darnell",
                "Kai",
                "Hazel",
                "Tomás=tomas",
                "Ruby",
            ],
            family: &[
                "Whitfield",
                "Nuñez=nunez",
                "Calloway",
                "Brooks",
                "McAllister",
                "Okafor",
                "Beaumont",
                "Yazzie",
                "Sandoval",
                "Ferris",
                "Delacroix",
                "Huang",
                "Prescott",
                "Abernathy",
                "Vance",
            ],
            streets: &["# Maple Avenue", "# Cedar Creek Road", "# Harbor Street"],
            cities: &["Portland", "Duluth", "Santa Fe", "Savannah"],
        },
    ),
    (
        8,
        Place {
            country: "FR",
            language: "fr",
            family_first: false,
            given: &[
                "Chloé=chloe",
                "François=francois",
                "Hélène=helene",
                "Théo=theo",
                "Maëlys=maelys",
                "Luc",
            ],
            family: &[
                "Lefèvre=lefevre",
                "Garnier",
                "Dubois",
                "D'Aubigné=daubigne",
                "Noël=noel",
                "Besançon=besancon",
            ],
            streets: &["# rue des Lilas", "# allée du Château", "# quai de l’Île"],
            cities: &["Nîmes", "Besançon", "Rennes", "Annecy"],
        },
    ),
    (
        6,
        Place {
            country: "PL",
            language: "pl",
            family_first: false,
            given: &[
                "Łukasz=lukasz",
                "Agnieszka",
                "Małgorzata=malgorzata",
                "Paweł=pawel",
                "Zofia",
                "Michał=michal",
            ],
            family: &[
                "Wiśniewski=wisniewski",
                "Dąbrowska=dabrowska",
                "Żak=zak",
                "Król=krol",
                "Zieliński=zielinski",
            ],
            streets: &["ul. Kwiatowa #", "ul. Długa #", "os. Słoneczne #"],
            cities: &["Łódź", "Gdańsk", "Toruń", "Rzeszów"],
        },
    ),
    (
        6,
        Place {
            country: "BR",
            language: "pt",
            family_first: false,
            given: &[
                "João=joao",
                "Conceição=conceicao",
                "Thiago",
                "Luíza=luiza",
                "Antônio=antonio",
                "Beatriz",
            ],
            family: &[
                "Gonçalves=goncalves",
                "da Conceição=daconceicao",
                "Araújo=araujo",
                "Magalhães=magalhaes",
            ],
            streets: &["Rua das Acácias #", "Avenida São João #", "Travessa do Sol #"],
            cities: &["Belém", "Curitiba", "Maceió", "Florianópolis"],
        },
    ),
    (
        4,
        Place {
            country: "TR",
            language: "tr",
            family_first: false,
            given: &["Işıl=isil", "İbrahim=ibrahim", "Gökçe=gokce", "Çağla=cagla", "Ömer=omer", "Şule=sule"],
            family: &["Yıldız=yildiz", "Öztürk=ozturk", "Şahin=sahin", "Kılıç=kilic", "Güneş=gunes"],
            streets: &["Çınar Sokağı No #", "Gül Caddesi No #"],
            cities: &["İzmir", "Eskişehir", "Muğla"],
        },
    ),
    (
        4,
        Place {
            country: "GR",
            language: "el",
            family_first: false,
            given: &["Ελένη=eleni", "Γιώργος=giorgos", "Κατερίνα=katerina", "Νίκος=nikos", "Σοφία=sofia"],
            family: &["Παπαδάκης=papadakis", "Οικονόμου=oikonomou", "Βλάχος=vlachos", "Αγγέλου=angelou"],
            streets: &["Οδός Ελιάς #", "Πλατεία Ήλιου #"],
            cities: &["Πάτρα", "Χανιά", "Βόλος"],
        },
    ),
    (
        6,
        Place {
            country: "UA",
            language: "uk",
            family_first: false,
            given: &[
                "Олена=olena",
                "Тарас=taras",
                "Ірина=iryna",
                "Євген=yevhen",
                "Соломія=solomiia",
                "Юрій=yurii",
            ],
            family: &[
                "Коваленко=kovalenko",
                "Шевчук=shevchuk",
                "Гнатюк=hnatiuk",
                "Їжакевич=yizhakevych",
                "Бойко=boiko",
            ],
            streets: &["вул. Садова, #", "вул. Незалежності, #"],
            cities: &["Львів", "Полтава", "Чернівці"],
        },
    ),
    (
        3,
        Place {
            country: "IL",
            language: "he",
            family_first: false,
            given: &["נועה=noa", "איתן=eitan", "תמר=tamar", "יואב=yoav", "שירה=shira"],
            family: &["לוי=levi", "ברק=barak", "פרידמן=fridman", "אלון=alon"],
            streets: &["רחוב הגפן #", "שדרות הזית #"],
            cities: &["חיפה", "באר שבע", "נתניה"],
        },
    ),
    (
        4,
        Place {
            country: "EG",
            language: "ar",
            family_first: false,
            given: &["ليلى=layla", "يوسف=youssef", "مريم=mariam", "عمر=omar", "نور=nour", "هبة=heba"],
            family: &["المصري=elmasry", "حسن=hassan", "النجار=elnaggar", "فؤاد=fouad", "صالح=saleh"],
            streets: &["شارع النيل #", "شارع الياسمين #"],
            cities: &["الإسكندرية", "أسوان", "طنطا"],
        },
    ),
    (
        5,
        Place {
            country: "IN",
            language: "hi",
            family_first: false,
            given: &[
                "आरती=aarti",
                "विक्रम=vikram",
                "क्षितिज=kshitij",
                "मीरा=meera",
                "रोहन=rohan",
                "श्रेया=shreya",
            ],
            family: &["शर्मा=sharma", "त्रिवेदी=trivedi", "कुलकर्णी=kulkarni", "सिंह=singh"],
            streets: &["# गांधी मार्ग", "# बाग रोड"],
            cities: &["जयपुर", "पुणे", "लखनऊ"],
        },
    ),
    (
        2,
        Place {
            country: "TH",
            language: "th",
            family_first: false,
            given: &["ณัฐวุฒิ=nattawut", "พิมพ์ชนก=pimchanok", "ศิริพร=siriporn", "ธนา=thana"],
            family: &["วงศ์ใหญ่=wongyai", "ศรีสุข=srisuk", "ทองดี=thongdee"],
            streets: &["ถนนดอกไม้ #", "ซอยสายน้ำ #"],
            cities: &["เชียงใหม่", "ขอนแก่น"],
        },
    ),
    (
        2,
        Place {
            country: "GE",
            language: "ka",
            family_first: false,
            given: &["ნინო=nino", "გიორგი=giorgi", "თამარ=tamar", "ლევან=levan"],
            family: &["ბერიძე=beridze", "კაპანაძე=kapanadze", "გელაშვილი=gelashvili"],
            streets: &["ვაზის ქუჩა #", "მზის ქუჩა #"],
            cities: &["ქუთაისი", "ბათუმი"],
        },
    ),
    (
        1,
        Place {
            country: "ET",
            language: "am",
            family_first: false,
            given: &["ሀና=hana", "ዳዊት=dawit", "ብርሃን=birhan"],
            family: &["ተስፋዬ=tesfaye", "አበበ=abebe", "ከበደ=kebede"],
            streets: &["የአበባ መንገድ #"],
            cities: &["ባሕር ዳር", "ሐዋሳ"],
        },
    ),
    (
        5,
        Place {
            country: "CN",
            language: "zh",
            family_first: true,
            given: &["伟=wei", "秀英=xiuying", "梓涵=zihan", "浩然=haoran", "雨桐=yutong", "建国=jianguo"],
            family: &["王=wang", "李=li", "欧阳=ouyang", "陈=chen", "赵=zhao", "𠮷田=jitian"],
            streets: &["梅花路#号", "幸福街#号"],
            cities: &["杭州", "成都", "青岛"],
        },
    ),
    (
        5,
        Place {
            country: "JP",
            language: "ja",
            family_first: true,
            given: &["さくら=sakura", "健太=kenta", "美咲=misaki", "蓮=ren", "ユリ=yuri", "大輔=daisuke"],
            family: &["佐藤=sato", "髙橋=takahashi", "渡邉=watanabe", "𠮷野=yoshino", "小林=kobayashi"],
            streets: &["桜町#丁目", "緑が丘#番地"],
            cities: &["札幌", "金沢", "松山"],
        },
    ),
    (
        4,
        Place {
            country: "KR",
            language: "ko",
            family_first: true,
            given: &["서연=seoyeon", "민준=minjun", "지우=jiwoo", "하은=haeun", "도윤=doyun"],
            family: &["김=kim", "박=park", "최=choi", "남궁=namgung", "윤=yoon"],
            streets: &["은행나무길 #", "바다로 #"],
            cities: &["부산", "전주", "강릉"],
        },
    ),
    (
        3,
        Place {
            country: "VN",
            language: "vi",
            family_first: true,
            given: &["Thị Hương=huong", "Văn Đức=duc", "Quỳnh Như=nhu", "Minh Tuấn=tuan"],
            family: &["Nguyễn=nguyen", "Trần=tran", "Đặng=dang", "Phạm=pham"],
            streets: &["# đường Hoa Sen", "# phố Cây Đa"],
            cities: &["Huế", "Đà Nẵng", "Cần Thơ"],
        },
    ),
];
