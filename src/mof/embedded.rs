//! The MOF that is compiled into the program: every file of `mof/`.

use std::borrow::Cow;

use super::source::{SourceError, Sources};

/// The roots: what each namespace holds from the start. Each is compiled on its own.
pub const ROOTS: [&str; 2] = ["cimv2.mof", "interop.mof"];

/// The files of `mof/`, named relative to it.
pub struct Embedded;

impl Embedded {
    /// The names of the files, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }
}

impl Sources for Embedded {
    fn read(&self, name: &str, limit_bytes: usize) -> Result<Cow<'_, [u8]>, SourceError> {
        let found = FILES.iter().find(|(file, _)| *file == name);
        let (_, text) = found.ok_or(SourceError::Missing)?;
        if text.len() > limit_bytes {
            return Err(SourceError::TooLarge(limit_bytes));
        }
        Ok(Cow::Borrowed(text.as_bytes()))
    }
}

macro_rules! files {
    ($($name:literal)+) => {
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../mof/", $name))),)+];
    };
}

files! {
    "cim/CIM_AbstractIndicationSubscription.mof"
    "cim/CIM_AffectedJobElement.mof"
    "cim/CIM_AlertIndication.mof"
    "cim/CIM_AllocatedLogicalElement.mof"
    "cim/CIM_AssociatedJobMethodResult.mof"
    "cim/CIM_CIMOMStatisticalData.mof"
    "cim/CIM_CIMXMLCommunicationMechanism.mof"
    "cim/CIM_Capabilities.mof"
    "cim/CIM_ClassCreation.mof"
    "cim/CIM_ClassDeletion.mof"
    "cim/CIM_ClassIndication.mof"
    "cim/CIM_ClassModification.mof"
    "cim/CIM_Collection.mof"
    "cim/CIM_CommMechanismForManager.mof"
    "cim/CIM_Component.mof"
    "cim/CIM_ComputerSystem.mof"
    "cim/CIM_ConcreteJob.mof"
    "cim/CIM_Dependency.mof"
    "cim/CIM_ElementCapabilities.mof"
    "cim/CIM_ElementConformsToProfile.mof"
    "cim/CIM_ElementSettingData.mof"
    "cim/CIM_ElementStatisticalData.mof"
    "cim/CIM_EnabledLogicalElement.mof"
    "cim/CIM_EnabledLogicalElementCapabilities.mof"
    "cim/CIM_Error.mof"
    "cim/CIM_FilterCollection.mof"
    "cim/CIM_FilterCollectionSubscription.mof"
    "cim/CIM_HostedAccessPoint.mof"
    "cim/CIM_HostedDependency.mof"
    "cim/CIM_HostedJobDestination.mof"
    "cim/CIM_HostedService.mof"
    "cim/CIM_Indication.mof"
    "cim/CIM_IndicationFilter.mof"
    "cim/CIM_IndicationHandler.mof"
    "cim/CIM_IndicationHandlerCIMXML.mof"
    "cim/CIM_IndicationService.mof"
    "cim/CIM_IndicationServiceCapabilities.mof"
    "cim/CIM_IndicationServiceSettingData.mof"
    "cim/CIM_IndicationSubscription.mof"
    "cim/CIM_InstCreation.mof"
    "cim/CIM_InstDeletion.mof"
    "cim/CIM_InstIndication.mof"
    "cim/CIM_InstMethodCall.mof"
    "cim/CIM_InstModification.mof"
    "cim/CIM_Job.mof"
    "cim/CIM_JobCapabilities.mof"
    "cim/CIM_JobDestination.mof"
    "cim/CIM_JobDestinationJobs.mof"
    "cim/CIM_JobQueue.mof"
    "cim/CIM_JobSettingData.mof"
    "cim/CIM_ListenerDestination.mof"
    "cim/CIM_ListenerDestinationCIMXML.mof"
    "cim/CIM_LogicalElement.mof"
    "cim/CIM_ManagedElement.mof"
    "cim/CIM_ManagedSystemElement.mof"
    "cim/CIM_MemberOfCollection.mof"
    "cim/CIM_MethodResult.mof"
    "cim/CIM_Namespace.mof"
    "cim/CIM_NamespaceInManager.mof"
    "cim/CIM_ObjectManager.mof"
    "cim/CIM_ObjectManagerCommunicationMechanism.mof"
    "cim/CIM_OwningJobElement.mof"
    "cim/CIM_OwningPrintQueue.mof"
    "cim/CIM_PrintJob.mof"
    "cim/CIM_PrintQueue.mof"
    "cim/CIM_ProcessIndication.mof"
    "cim/CIM_ReferencedProfile.mof"
    "cim/CIM_ReferencedSpecification.mof"
    "cim/CIM_RegisteredProfile.mof"
    "cim/CIM_RegisteredSpecification.mof"
    "cim/CIM_RegisteredSubProfile.mof"
    "cim/CIM_SchemaInformationStructure.mof"
    "cim/CIM_Service.mof"
    "cim/CIM_ServiceAccessBySAP.mof"
    "cim/CIM_ServiceAccessPoint.mof"
    "cim/CIM_ServiceAffectsElement.mof"
    "cim/CIM_SettingData.mof"
    "cim/CIM_StatisticalData.mof"
    "cim/CIM_SubProfileRequiresProfile.mof"
    "cim/CIM_System.mof"
    "cim/CIM_WBEMServer.mof"
    "cim/CIM_WBEMServerCapabilities.mof"
    "cim/CIM_WBEMServerNamespace.mof"
    "cim/CIM_WBEMService.mof"
    "cimv2.mof"
    "interop.mof"
    "jw/JW_DestinationStatistics.mof"
    "jw/JW_IndicationService.mof"
    "jw/JW_Job.mof"
    "jw/JW_JobDependency.mof"
    "jw/JW_JobQueue.mof"
    "jw/JW_JobRun.mof"
    "jw/JW_JobSchedule.mof"
    "jw/JW_JobService.mof"
    "jw/JW_JobSettingData.mof"
    "jw/JW_ListenerDestinationSyslog.mof"
    "jw/JW_ListenerDestinationWebhook.mof"
    "jw/JW_PrintJob.mof"
    "jw/JW_RecoveryJob.mof"
    "jw/JW_SchemaService.mof"
    "qualifiers.mof"
}
