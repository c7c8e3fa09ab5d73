//! What clients change of the schema, kept in the store as CIM-XML and put over the MOF at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::builtin::{Audience, Tally, check_cardinality, row_of};
use crate::cimxml::{decode_class, decode_qualifier, encode_class, encode_qualifier};
use crate::model::{CimError, CimName, Namespace, Result};
use crate::ops::BoxFuture;
use crate::provider::{
    Change, ChangeKind, Namespaces, NewInstance, Notices, SchemaChange, SchemaStore, Told,
};
use crate::schema::{Edit, Schema};
use crate::store::{
    Batch, DeclarationKind, DeclarationRow, InstanceKey, StoreError, Trouble, Writer,
};

use super::super::StartError;

/// Keeps changes of the schema in the store.
pub(in crate::server) struct Keeper {
    /// The store.
    pub writer: Writer,
    /// How many instances there are: those that come with their classes are counted too.
    pub tally: Tally,
    /// Who is told of them.
    pub audience: Audience,
}

impl SchemaStore for Keeper {
    fn change(
        &self,
        changes: Vec<SchemaChange>,
        instances: Vec<NewInstance>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            for change in &changes {
                for edit in &change.edits {
                    rows.push(row(&change.namespace, edit)?);
                }
            }
            let audience = self.audience.clone();
            let kept = self.writer.transact(move |batch| {
                rows.iter().try_for_each(|row| batch.put_declaration(row))?;
                let (mut keys, mut notices) = (Vec::new(), Notices::default());
                for new in &instances {
                    keys.push(insert(batch, new)?);
                }
                // Nobody is told of what may still be undone.
                for change in changes {
                    notices.append(audience.all(&change.namespace, change.classes, now));
                }
                for new in instances {
                    let class = new.instance.class.name.clone();
                    let at = (&new.namespace, class.as_str());
                    let change = || Change::Created(new.instance);
                    notices.append(audience.notices(at, now, ChangeKind::Creation, change));
                }
                batch.queue(&notices, now)?;
                Ok((keys, notices))
            });
            let (keys, notices) = kept
                .await
                .map_err(|trouble: Trouble| trouble.into_cim("change the schema"))?;
            for key in &keys {
                self.tally.add(key);
            }
            self.audience.committed(notices);
            Ok(())
        })
    }

    fn create<'a>(&'a self, namespace: &'a Namespace, told: Told) -> BoxFuture<'a, Result<()>> {
        let (name, written) = (namespace.folded(), namespace.to_string());
        let work = move |batch: &Batch<'_>| batch.put_namespace(&name, &written);
        Box::pin(self.keep(work, told))
    }

    fn delete<'a>(&'a self, namespace: &'a Namespace, told: Told) -> BoxFuture<'a, Result<()>> {
        let name = namespace.folded();
        let work = move |batch: &Batch<'_>| batch.drop_namespace(&name);
        Box::pin(self.keep(work, told))
    }
}

impl Keeper {
    /// Does `work` and queues the notices of what is told of it, all or nothing.
    async fn keep(
        &self,
        work: impl FnOnce(&Batch<'_>) -> std::result::Result<(), StoreError> + Send + 'static,
        Told { changes, now }: Told,
    ) -> Result<()> {
        let audience = self.audience.clone();
        let kept = self.writer.transact(move |batch| {
            work(batch)?;
            let mut notices = Notices::default();
            for (namespace, change) in changes {
                notices.append(audience.all(&namespace, [change], now));
            }
            batch.queue(&notices, now)?;
            Ok(notices)
        });
        let notices = kept
            .await
            .map_err(|error: StoreError| error.told("change the schema"))?;
        self.audience.committed(notices);
        Ok(())
    }
}

/// Adds an instance.
fn insert(batch: &Batch<'_>, new: &NewInstance) -> std::result::Result<InstanceKey, Trouble> {
    let (key, data) = row_of(&new.instance, &new.namespace, &new.schema);
    if !batch.insert_instance(&key, &data)? {
        let path = new.instance.path(&new.namespace);
        let text = format!("there is an instance {path} already");
        return Err(CimError::already_exists(text).into());
    }
    check_cardinality(batch, &new.instance, &new.namespace, &new.schema)?;
    Ok(key)
}

fn row(namespace: &Namespace, edit: &Edit) -> Result<DeclarationRow> {
    use DeclarationKind::{Class, Qualifier};
    let (kind, name, text) = match edit {
        Edit::Class(decl) => (Class, &decl.name, Some(encode_class(decl)?)),
        Edit::Qualifier(decl) => (Qualifier, &decl.name, Some(encode_qualifier(decl)?)),
        Edit::DropClass(name) => (Class, name, None),
        Edit::DropQualifier(name) => (Qualifier, name, None),
    };
    let row = DeclarationRow {
        namespace: namespace.folded(),
        kind,
        name: name.folded(),
        text,
    };
    // What could not be read at the next start must not be kept.
    self::edit(&row)?;
    Ok(row)
}

fn edit(row: &DeclarationRow) -> Result<Edit> {
    let name = || {
        let name = CimName::new(&row.name);
        name.map_err(|error| CimError::failed(error.to_string()))
    };
    Ok(match (row.kind, &row.text) {
        (DeclarationKind::Class, Some(text)) => Edit::Class(decode_class(text)?),
        (DeclarationKind::Class, None) => Edit::DropClass(name()?),
        (DeclarationKind::Qualifier, Some(text)) => Edit::Qualifier(decode_qualifier(text)?),
        (DeclarationKind::Qualifier, None) => Edit::DropQualifier(name()?),
    })
}

/// `namespaces` with those that clients made, each with what clients changed of it, and the names of
/// those that clients made.
///
/// # Errors
/// A stored change that cannot be read, or that does not fit the MOF any more, with its names.
pub(in crate::server) async fn restore(
    mut namespaces: Namespaces,
    writer: &Writer,
) -> std::result::Result<(Namespaces, Vec<Namespace>), StartError> {
    let read =
        writer.run(|store| Ok::<_, StoreError>((store.namespaces()?, store.declarations()?)));
    let (names, rows) = read.await?;
    let mut created = Vec::new();
    for name in names {
        let name = Namespace::new(&name).map_err(|error| StartError::Schema(error.to_string()))?;
        if !namespaces.contains(&name) {
            namespaces.put(name.clone(), Arc::default());
            created.push(name);
        }
    }
    let mut edits: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
    for row in rows {
        let broken = |error| {
            let (name, namespace) = (&row.name, &row.namespace);
            let text = format!("the stored declaration of {name} in {namespace}: {error}");
            StartError::Schema(text)
        };
        let edit = edit(&row).map_err(broken)?;
        edits.entry(row.namespace).or_default().push(edit);
    }
    for (namespace, edits) in edits {
        let found = namespaces
            .iter()
            .find(|(name, _)| name.folded() == namespace);
        let Some((name, schema)) = found.map(|(name, schema)| (name.clone(), schema.clone()))
        else {
            // The configuration had this namespace once and has it no more.
            tracing::warn!(
                namespace,
                "what was changed of its schema is kept and not used"
            );
            continue;
        };
        let mut changed = changed(&namespace, &schema, edits)?;
        changed.share(namespaces.iter().map(|(_, schema)| &**schema));
        namespaces.put(name, Arc::new(changed));
    }
    Ok((namespaces, created))
}

fn changed(
    namespace: &str,
    schema: &Schema,
    edits: Vec<Edit>,
) -> std::result::Result<Schema, StartError> {
    let edited = schema.edited(edits).map_err(|errors| {
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        StartError::Schema(format!(
            "what clients changed of the schema of {namespace} does not fit its MOF any more:\n{}",
            told.join("\n")
        ))
    })?;
    Ok(edited.schema)
}
