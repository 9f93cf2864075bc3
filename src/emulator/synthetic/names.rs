//! Names by frequency, so that first letters are as uneven as in a real directory: many begin with `a`, `m` and `s`, few with `x`.

use std::sync::OnceLock;

/// Given names: as it stands in an address, as it is displayed, weight.
const FIRST: &str = "\
    maria|María|95; anna|Anna|88; michael|Michael|84; sarah|Sarah|70; mohammed|Mohammed|68; andreas|Andreas|61;\
    alexander|Alexander|60; stefan|Stefan|57; martin|Martin|55; ana|Ana|54; thomas|Thomas|52; david|David|51;\
    daniel|Daniel|50; julia|Julia|45; peter|Peter|44; jan|Jan|43; sandra|Sandra|42; monika|Monika|40; markus|Markus|39;\
    christian|Christian|38; laura|Laura|37; sophie|Sophie|36; marco|Marco|35; james|James|34; john|John|34;\
    emma|Emma|33; lukas|Łukasz|32; katarzyna|Katarzyna|31; robert|Robert|30; paul|Paul|30; nina|Nina|29; simon|Simon|28;\
    elena|Elena|28; carlos|Carlos|27; ahmed|Ahmed|27; aisha|Aïsha|26; lisa|Lisa|25; jose|José|25; jennifer|Jennifer|24;\
    patrick|Patrick|23; susanne|Susanne|23; claudia|Claudia|22; karl|Karl|21; nicolas|Nicolás|21; bjorn|Björn|19;\
    soren|Søren|18; jurgen|Jürgen|18; francois|François|17; zoe|Zoë|9; oscar|Óscar|15; wei|伟|16; li|丽|15; yuki|由紀|11;\
    olga|Ольга|12; dmitri|Дмитрий|10; ines|Inês|14; helena|Helena|14; gabriel|Gabriel|13; fatima|Fátima|13;\
    bernd|Bernd|12; hans|Hans|12; eva|Eva|12; ivan|Ivan|11; george|George|11; tomas|Tomáš|10; renata|Renata|9;\
    viktor|Viktor|9; ursula|Ursula|8; william|William|14; victoria|Victoria|10; oliver|Oliver|12; kevin|Kevin|11;\
    hannah|Hannah|11; quentin|Quentin|3; xavier|Xavier|3; ying|英|5; umberto|Umberto|3; anne-marie|Anne-Marie|8;\
    jean-luc|Jean-Luc|7";

/// Family names: as it stands in an address, as it is displayed, weight.
const LAST: &str = "\
    smith|Smith|90; muller|Müller|80; schmidt|Schmidt|62; garcia|García|60; silva|Silva|55; martin|Martin|50;\
    johnson|Johnson|48; nguyen|Nguyễn|46; jones|Jones|45; andersson|Andersson|42; fischer|Fischer|40; weber|Weber|38;\
    santos|Santos|37; brown|Brown|36; kowalski|Kowalski|30; meyer|Meyer|34; rossi|Rossi|33; novak|Novák|31;\
    wagner|Wagner|30; becker|Becker|29; schulz|Schulz|28; fernandez|Fernández|28; lopez|López|27; wang|王|27; li|李|26;\
    kumar|Kumar|26; patel|Patel|25; singh|Singh|25; khan|Khan|24; dubois|Dubois|22; bernard|Bernard|21;\
    hoffmann|Hoffmann|21; jensen|Jensen|20; nielsen|Nielsen|20; hansen|Hansen|20; larsen|Larsen|18; petrov|Петров|15;\
    ivanova|Иванова|14; tanaka|田中|13; kim|김|17; o'brien|O'Brien|14; o'neill|O'Neill|10; d'angelo|D'Angelo|8;\
    taylor|Taylor|24; wilson|Wilson|23; davies|Davies|17; evans|Evans|17; thompson|Thompson|16; wood|Wood|13;\
    clarke|Clarke|12; green|Green|12; hall|Hall|11; costa|Costa|16; ferreira|Ferreira|15; pereira|Pereira|15;\
    van-dijk|van Dijk|10; de-vries|de Vries|10; bakker|Bakker|9; ostergaard|Østergård|6; aberg|Åberg|6;\
    zimmermann|Zimmermann|9; zhang|张|18; ziegler|Ziegler|5; yilmaz|Yılmaz|11; ozturk|Öztürk|7; quinn|Quinn|4; xu|徐|5;\
    ulrich|Ulrich|4; ibrahim|Ibrahim|8; jovanovic|Jovanović|6; eriksson|Eriksson|10; lehmann|Lehmann|10; krause|Krause|9;\
    richter|Richter|10; vogel|Vogel|6";

/// Words of which applications and groups are named: as it stands in an address, as it is displayed, weight.
const SUBJECT: &str = "\
    azure|Azure|60; app|App|55; sharepoint|SharePoint|50; sales|Sales|48; aws|AWS|40; finance|Finance|38;\
    project|Project|36; marketing|Marketing|34; hr|HR|33; power|Power Platform|30; contoso|Contoso|28; team|Team|28;\
    backup|Backup|25; data|Data|25; intune|Intune|20; github|GitHub|18; jira|Jira|17; legal|Legal|15; plant|Plant|14;\
    vpn|VPN|12; qualitat|Qualität|9; uber|Über uns|4; ecole|École|4; x-ray|X-Ray|2; 3d|3D Print|6; _archive|_archive|5;\
    -test|-test|4; [old]|[old]|3; people's|People's Choice|3";

/// What they are for: as it stands in an address, as it is displayed, weight.
const PURPOSE: &str = "\
    connector|Connector|40; portal|Portal|38; sync|Sync|30; api|API|30; service|Service|28; bot|Bot|20;\
    reporting|Reporting|20; prod|(prod)|18; test|(test)|16; viewer|Viewer|10; members|Members|14; owners|Owners|9;\
    agent|Agent|9; automation|Automation|12";

/// Domains that guests come from: as it stands in an address, as it is displayed, weight.
const PARTNER: &str = "\
    gmail.example||30; partner.example||25; outlook.example||15; auditors.example||8; agency.example||7;\
    supplier.example||7; lawyers.example||4; university.example||4";

/// A table of names with the sums of its weights.
pub(super) struct Names {
    names: Vec<(&'static str, &'static str)>,
    sums: Vec<u64>,
}

impl Names {
    fn new(table: &'static str) -> Self {
        let (mut names, mut sums, mut sum) = (Vec::new(), Vec::new(), 0);
        for entry in table.split(';') {
            let mut cells = entry.trim().split('|');
            let mut next = || cells.next().unwrap_or_default();
            names.push((next(), next()));
            sum += next().parse().unwrap_or(1);
            sums.push(sum);
        }
        Self { names, sums }
    }

    /// The name that a random number falls on: (plain, displayed).
    pub(super) fn pick(&self, random: u64) -> (&'static str, &'static str) {
        let total = self.sums.last().copied().unwrap_or(1);
        let point = random % total;
        let at = self.sums.partition_point(|sum| *sum <= point);
        self.names.get(at).copied().unwrap_or_default()
    }
}

macro_rules! tables {
    ($($function:ident $table:ident $about:literal)+) => {
        $(
            #[doc = $about]
            pub(super) fn $function() -> &'static Names {
                static NAMES: OnceLock<Names> = OnceLock::new();
                NAMES.get_or_init(|| Names::new($table))
            }
        )+
    };
}

tables! {
    first FIRST "Given names."
    last LAST "Family names."
    subject SUBJECT "What an application or group is about."
    purpose PURPOSE "What it is for."
    partner PARTNER "Domains of guests."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_names_are_picked_more_often() {
        let names = Names::new("a|A|3; b|B|1");
        let picked: Vec<&str> = (0..8).map(|random| names.pick(random).0).collect();
        assert_eq!(picked, ["a", "a", "a", "b", "a", "a", "a", "b"]);
        for table in [first(), last(), subject(), purpose(), partner()] {
            let plain = table.names.iter().map(|(plain, _)| *plain);
            assert!(
                plain
                    .clone()
                    .all(|name| name.is_ascii() && !name.ends_with(|c: char| c.is_ascii_digit()))
            );
        }
    }
}
