//! The columns a list may have. Exactly these: a column that is passed over may be the one that matters.

/// How keys are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyEncoding {
    /// Hexadecimal.
    Hex,
    /// Base32.
    Base32,
}

/// A column that means something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Column {
    /// The serial number of the token.
    Serial,
    /// Its key.
    Key,
    /// TOTP or HOTP.
    Type,
    /// The first counter that has not been used.
    Counter,
    /// Seconds a code lasts.
    Period,
    /// The one for HOTP and the other for TOTP.
    CounterOrPeriod,
    /// Digits of a code.
    Digits,
    /// The hash.
    Algorithm,
    /// The account.
    User,
    /// Of no meaning here.
    Nothing,
}

/// Names as header lines have them, without spaces and marks, in lower case.
const NAMES: &[(Column, &[&str])] = &[
    (Column::Serial, &["serial", "serialnumber", "serialno", "sn", "tokenserial"]),
    (Column::Type, &["type", "tokentype", "oathtype"]),
    (Column::Counter, &["counter", "movingfactor"]),
    (Column::Period, &["period", "timeinterval", "interval", "timestep", "step"]),
    (Column::CounterOrPeriod, &["counterperiod", "periodcounter"]),
    (Column::Digits, &["digits", "otplength", "otplen", "codelength"]),
    (Column::Algorithm, &["algorithm", "hash", "hashalgorithm", "hmac"]),
    (Column::User, &["user", "username", "upn", "login", "account"]),
    (
        Column::Nothing,
        &[
            "manufacturer",
            "model",
            "issuer",
            "vendor",
            "startdate",
            "enddate",
            "expirydate",
            "comment",
            "description",
            "ignore",
        ],
    ),
];

/// Names of the key, with what they say of its writing. "Secret key" is the column of Microsoft's format,
/// which has base32 in it.
const KEYS: &[(Option<KeyEncoding>, &[&str])] = &[
    (Some(KeyEncoding::Hex), &["keyhex", "hexkey", "secrethex", "hexsecret", "seedhex", "hexseed"]),
    (
        Some(KeyEncoding::Base32),
        &["keybase32", "base32key", "secretbase32", "base32secret", "seedbase32", "base32seed", "secretkey"],
    ),
    (None, &["key", "secret", "seed"]),
];

impl Column {
    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Key => "key",
            Self::Type => "type",
            Self::Counter => "counter",
            Self::Period => "period",
            Self::CounterOrPeriod => "counter/period",
            Self::Digits => "digits",
            Self::Algorithm => "algorithm",
            Self::User => "user",
            Self::Nothing => "ignore",
        }
    }
}

/// The columns of one list.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<Column>,
    encoding: Option<KeyEncoding>,
}

/// What separates the fields of `line`: a tab, a semicolon or a comma, whichever stands there first in this
/// order. `None` for one field.
pub(super) fn separator(line: &str) -> Option<char> {
    ['\t', ';', ','].into_iter().find(|separator| line.contains(*separator))
}

impl Columns {
    /// Reads a header. `given` is how keys are written, whatever the header says.
    pub(super) fn of(header: &str, separator: char, given: Option<KeyEncoding>) -> Result<Self, String> {
        let fields = super::record::fields(header, separator).ok_or("a quotation mark is not closed")?;
        let mut read = Self { columns: Vec::new(), encoding: given };
        for (number, field) in (1_usize..).zip(fields) {
            let column = read.column(&field).ok_or_else(|| unknown(number))?;
            if column != Column::Nothing && read.columns.contains(&column) {
                return Err(format!("the column \"{}\" stands twice", column.name()));
            }
            read.columns.push(column);
        }
        if !read.has_key() {
            return Err("no column is the key".to_owned());
        }
        if read.encoding.is_none() {
            return Err("it does not say how keys are written: name the column \"key (hex)\" or \"key (base32)\", or give \
                        --key-encoding"
                .to_owned());
        }
        Ok(read)
    }

    fn column(&mut self, field: &str) -> Option<Column> {
        let name: String =
            field.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let is = |names: &&[&str]| names.contains(&name.as_str());
        if let Some((encoding, _)) = KEYS.iter().find(|(_, names)| is(names)) {
            self.encoding = self.encoding.or(*encoding);
            return Some(Column::Key);
        }
        NAMES.iter().find(|(_, names)| is(names)).map(|(column, _)| *column)
    }

    /// Whether one of them is the key.
    pub(super) fn has_key(&self) -> bool {
        self.place(Column::Key).is_some()
    }

    /// How keys are written.
    pub(super) fn key_encoding(&self) -> KeyEncoding {
        self.encoding.unwrap_or(KeyEncoding::Base32)
    }

    /// Where `column` stands.
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|there| *there == column)
    }

    /// As many there are.
    pub(super) fn count(&self) -> usize {
        self.columns.len()
    }
}

fn unknown(number: usize) -> String {
    format!(
        "column {number} is not known. Columns are: serial, key (hex), key (base32), type, counter, period, \
         counter/period, digits, algorithm, user, manufacturer, model, ignore. Where the file has no header line, \
         name them by --columns"
    )
}
