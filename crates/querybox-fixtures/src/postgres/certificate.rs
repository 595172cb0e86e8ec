//! Certificates for test servers, each from an authority of its own.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair};

/// A server's certificate, its key, and the authority that signed it.
#[derive(Debug)]
pub struct Certificate {
    authority_pem: String,
    chain_pem: String,
    key_pem: String,
}

impl Certificate {
    /// A certificate for these names or addresses, signed by a fresh authority.
    ///
    /// # Panics
    ///
    /// When a name is none.
    pub fn make(names: &[&str]) -> Self {
        Self::with(params("querybox test server", names))
    }

    /// As [`make`](Self::make), but it was valid long ago.
    ///
    /// # Panics
    ///
    /// As [`make`](Self::make).
    pub fn expired(names: &[&str]) -> Self {
        let mut server = params("querybox test server", names);
        server.not_before = rcgen::date_time_ymd(2001, 1, 1);
        server.not_after = rcgen::date_time_ymd(2002, 1, 1);
        Self::with(server)
    }

    fn with(server: CertificateParams) -> Self {
        let authority_key = KeyPair::generate().expect("the system has random numbers");
        let mut authority = params("querybox test authority", &[]);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).expect("the parameters are whole").pem();
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate().expect("the system has random numbers");
        let chain_pem = server.signed_by(&key, &issuer).expect("the parameters are whole").pem();
        Self { authority_pem, chain_pem, key_pem: key.serialize_pem() }
    }

    /// The authority's certificate, for who is to trust the server.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The server's certificate.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The server's private key.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the names are names");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
