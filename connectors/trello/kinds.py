"""The types of Trello's actions: those that tell something, and those that are left out on purpose."""

from __future__ import annotations

UNKNOWN = "unknown"

UPDATE = "updateCard"
DELETE = "deleteCard"
ARRIVE = frozenset({"moveCardToBoard", "moveInboxCardToBoard"})
#: Actions by which a card comes into being.
CREATE = frozenset({"createCard", "copyCard", "emailCard", "convertToCardFromCheckItem"})

REST_ACTIONS = frozenset({"rest.actions", "rest.action"})
REST_CARDS = frozenset({"rest.cards", "rest.card", "rest.board"})
#: Answers of the REST API without cards.
REST_LEFT_OUT = {
    f"rest.{name}": name.rstrip("s")
    for name in ("boards", "checklists", "labels", "list", "lists", "member", "members", "organizations")
}

_NAMES = """
    acceptEnterpriseJoinRequest addAdminToBoard addAdminToOrganization addAttachmentToCard addBoardsPinnedToMember
    addChecklistToCard addLabelToCard addMemberToBoard addMemberToCard addMemberToOrganization
    addOrganizationToEnterprise addToEnterprisePluginWhitelist addToOrganizationBoard commentCard copyBoard
    copyChecklist copyCommentCard createBoard createBoardInvitation createBoardPreference createCheckItem
    createCustomField createLabel createList createOrganization createOrganizationInvitation
    deactivatedMemberInBoard deactivatedMemberInEnterprise deactivatedMemberInOrganization deleteAttachmentFromCard
    deleteBoardInvitation deleteCheckItem deleteComment deleteCustomField deleteLabel deleteOrganizationInvitation
    disableEnterprisePluginWhitelist disablePlugin disablePowerUp enableEnterprisePluginWhitelist enablePlugin
    enablePowerUp makeAdminOfBoard makeAdminOfOrganization makeNormalMemberOfBoard makeNormalMemberOfOrganization
    makeObserverOfBoard memberJoinedTrello moveCardFromBoard moveListFromBoard moveListToBoard
    reactivatedMemberInBoard reactivatedMemberInEnterprise reactivatedMemberInOrganization removeAdminFromBoard
    removeAdminFromOrganization removeBoardsPinnedFromMember removeChecklistFromCard
    removeFromEnterprisePluginWhitelist removeFromOrganizationBoard removeLabelFromCard removeMemberFromBoard
    removeMemberFromCard removeMemberFromOrganization removeOrganizationFromEnterprise unconfirmedBoardInvitation
    unconfirmedOrganizationInvitation updateBoard updateCheckItem updateCheckItemStateOnCard updateChecklist
    updateComment updateCustomField updateCustomFieldItem updateLabel updateList updateMember updateOrganization
    voteOnCard
"""
#: Actions that say nothing of where a card stands. A card that leaves a board tells so on the board where it arrives.
LEFT_OUT = frozenset(_NAMES.split())

_CARD_FIELDS = """
    address cardRole coordinates cover desc due dueReminder idAttachmentCover idBoard idLabels idMembers isTemplate
    locationName manualCoverAttachment name pos start subscribed
"""
_FIELDS = frozenset(_CARD_FIELDS.split())


def left_out_update(fields: list[str]) -> str:
    """Return the code of an `updateCard` that changed nothing of what is read, by the first field that it names."""
    named = [field for field in fields if field in _FIELDS]
    return f"{UPDATE}.{named[0] if named else 'other'}"
